// A reading as the author sees it: the fields of a JSON document that stays where it was read.
// Asking for what is not there, or is something else, rejects the reading and goes on.
import { decimal } from "./decimal";
import { integer, isInteger64 } from "./integer";
import { add, append, addNatural, beginReject } from "./note";
import { find, skip } from "./path";
import { decodeString, decodeText } from "./decode";
import { fields } from "./scan";

/** Where the current reading's line begins. */
let lineAt: usize = 0;
/** The author's function. */
let handler: usize = 0;

export function setHandler(work: usize): void {
  handler = work;
}

/** Hands the line at p, which scan() has indexed, to the author's function. */
// @ts-ignore: decorator
@inline
export function handle(p: usize): void {
  lineAt = p;
  call_indirect<void>(load<u32>(handler), fields);
}

export function lineStart(): usize {
  return lineAt;
}

// @ts-ignore: decorator
@inline
function isNumber(value: usize): bool {
  if (!value) return false;
  const c: u32 = load<u8>(value);
  return c - 0x30 < 10 || c == 0x2d;
}

// Not managed: there is one, it has no memory of its own, and the collector never hears of it.
// @ts-ignore: decorator
@unmanaged
export class Reading {
  /** The number at `path`, exact to the last bit; NaN and a rejected reading when it is none. */
  // @ts-ignore: decorator
  @inline
  f64(path: string): f64 {
    return numberAt(changetype<usize>(path));
  }

  /** The integer at `path` (5, 5.0 and 5e0 are one), or 0 and a rejected reading. */
  i64(path: string): i64 {
    const value = find(changetype<usize>(path));
    if (isNumber(value)) {
      const result = integer(value);
      if (isInteger64) return result;
    }
    mistaken(changetype<usize>(path), value, changetype<usize>("a 64-bit integer"));
    return 0;
  }

  /** The boolean at `path`, or false and a rejected reading. */
  bool(path: string): bool {
    const value = find(changetype<usize>(path));
    const c: u32 = value ? load<u8>(value) : 0;
    if (c == 0x74 || c == 0x66) return c == 0x74;
    mistaken(changetype<usize>(path), value, changetype<usize>("true or false"));
    return false;
  }

  /** The string at `path`, decoded, or "" and a rejected reading. Allocates. */
  str(path: string): string {
    const value = find(changetype<usize>(path));
    if (value && load<u8>(value) == 0x22) return decodeString(value + 1);
    mistaken(changetype<usize>(path), value, changetype<usize>("a string"));
    return "";
  }

  /** The JSON text of the value at `path` as it was sent, "" when there is none. Allocates. */
  raw(path: string): string {
    const value = find(changetype<usize>(path));
    return value ? decodeText(value, skip(value)) : "";
  }

  /** Whether there is a value other than null at `path`. */
  has(path: string): bool {
    const value = find(changetype<usize>(path));
    return value != 0 && load<u8>(value) != 0x6e;
  }
}

function numberAt(path: usize): f64 {
  const value = find(path);
  if (isNumber(value)) return decimal(value);
  mistaken(path, value, changetype<usize>("a number"));
  return NaN;
}

function mistaken(path: usize, value: usize, expected: usize): void {
  if (!beginReject(path)) return;
  append(path);
  if (!value) {
    add(": missing");
    return;
  }
  add(": expected ");
  append(expected);
  add(", found ");
  append(kindOf(load<u8>(value)));
  add(" at byte ");
  addNatural(<u32>(value - lineAt));
}

function kindOf(c: u32): usize {
  if (c == 0x22) return changetype<usize>("a string");
  if (c == 0x7b) return changetype<usize>("an object");
  if (c == 0x5b) return changetype<usize>("an array");
  if (c == 0x6e) return changetype<usize>("null");
  if (c == 0x74) return changetype<usize>("true");
  if (c == 0x66) return changetype<usize>("false");
  return changetype<usize>("a number");
}
