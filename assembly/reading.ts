// A reading as the author sees it: the fields of a JSON document that stays where it was read.
// Asking for what is not there, or is something else, rejects the reading and goes on.
import { attribute } from "./control";
import { decimal } from "./decimal";
import { integer, isInteger } from "./integer";
import { beginReject, endMessage, LIMIT, sayPosition } from "./note";
import { byte, bytes } from "./output";
import { endOf, find, valueOf } from "./path";
import { decodeString, decodeText } from "./strings";
import { put, say } from "./text";
import { A_BOOLEAN, A_NUMBER, A_STRING, AN_INTEGER, EXPECTED, FOUND, kinds, MISSING, NULL } from "./words";

/** The current reading's line. */
let lineAt: usize = 0;
let lineEnd: usize = 0;
/** The author's function. */
export let handler: usize = 0;

export function setHandler(work: usize): void {
  handler = work;
}

/** Hands the line at p, which scan() has indexed, to the author's function. */
// @ts-ignore: decorator
@inline
export function handle(p: usize, end: usize): void {
  lineAt = p;
  lineEnd = end;
  call_indirect<void>(load<u32>(handler), p);
}

/**
 * Not managed: there is one, it has no memory of its own, and the collector never hears of it.
 * Its methods are thin so that a path stays an address (see text.ts).
 */
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
  // @ts-ignore: decorator
  @inline
  i64(path: string): i64 {
    return integerAt(changetype<usize>(path));
  }

  /** The boolean at `path`, or false and a rejected reading. */
  // @ts-ignore: decorator
  @inline
  bool(path: string): bool {
    return booleanAt(changetype<usize>(path));
  }

  /** The string at `path`, decoded, or "" and a rejected reading. Allocates. */
  // @ts-ignore: decorator
  @inline
  str(path: string): string {
    return stringAt(changetype<usize>(path));
  }

  /** The JSON text of the value at `path` as it was sent, "" when there is none. Allocates. */
  // @ts-ignore: decorator
  @inline
  raw(path: string): string {
    return textAt(changetype<usize>(path));
  }

  /** Whether there is a value other than null at `path`. */
  // @ts-ignore: decorator
  @inline
  has(path: string): bool {
    return isAt(changetype<usize>(path));
  }
}

/** Sends the reading on as it came. */
export function pass(reading: Reading): void {
  attribute();
  bytes(lineAt, lineEnd - lineAt);
  byte(0x0a);
}

/**
 * The kind of an entry's value, as a word; MISSING without an entry: at the addresses 0 to 15,
 * which nobody uses, is a value that begins with 0. Without optimization data begins at 8.
 */
export function kindOf(entry: usize): i32 {
  if (ASC_OPTIMIZE_LEVEL < 2 && !entry) return MISSING;
  return load<u8>(kinds + (<u32>load<u8>(valueOf(entry)) >> 3));
}

function mistaken(path: usize, entry: usize, expected: i32): void {
  if (!beginReject(path)) return;
  put(path, LIMIT);
  if (entry) {
    say(EXPECTED);
    say(expected);
    say(FOUND);
  }
  say(kindOf(entry));
  if (entry) sayPosition(valueOf(entry) - lineAt);
  endMessage();
}

/** The entry at `path` if it is of this kind, or 0 and a rejected reading. */
function entryAt(path: usize, kind: i32): usize {
  const entry = find(path);
  if (kindOf(entry) == kind) return entry;
  mistaken(path, entry, kind);
  return 0;
}

function numberAt(path: usize): f64 {
  const entry = entryAt(path, A_NUMBER);
  return entry ? decimal(valueOf(entry)) : NaN;
}

function integerAt(path: usize): i64 {
  const entry = find(path);
  if (kindOf(entry) == A_NUMBER) {
    const result = integer(valueOf(entry));
    if (isInteger) return result;
  }
  mistaken(path, entry, AN_INTEGER);
  return 0;
}

function booleanAt(path: usize): bool {
  const entry = entryAt(path, A_BOOLEAN);
  return entry != 0 && load<u8>(valueOf(entry)) == 0x74;
}

function stringAt(path: usize): string {
  const entry = entryAt(path, A_STRING);
  return entry ? decodeString(valueOf(entry) + 1, endOf(entry) - 1) : "";
}

function textAt(path: usize): string {
  const entry = find(path);
  return entry ? decodeText(valueOf(entry), endOf(entry)) : "";
}

function isAt(path: usize): bool {
  const kind = kindOf(find(path));
  return kind != MISSING && kind != NULL;
}
