// JSON objects for the output, written field by field. At most one is open; the next output or
// the end of the handler closes it, so that end() may be forgotten.
import { attribute, suffix } from "./control";
import { fatal } from "./stderr";
import { byte, natural64, reserve } from "./output";
import { copyAt } from "./alert";
import { Reading } from "./reading";
import { shortest } from "./shortest";
import { json, put, QUOTED } from "./text";

const MAX_OPEN: u32 = 64;
/** Whether the filter uses emit(); else all that follows here is left out of the module. */
let used: bool = false;
/** Containers open, the object itself included. */
let open: u32 = 0;
/** Bit n: container n is an array. */
let arrays: u64 = 0;
/** Whether the next field needs a comma in front. */
let comma: bool = false;

/** The object being written. Not managed, like Reading: there is one. */
// @ts-ignore: decorator
@unmanaged
export class Output {
  // @ts-ignore: decorator
  @inline
  f64(name: string, value: f64): Output {
    field(changetype<usize>(name));
    shortest(value);
    return this;
  }

  // @ts-ignore: decorator
  @inline
  i64(name: string, value: i64): Output {
    field(changetype<usize>(name));
    integer(value);
    return this;
  }

  // @ts-ignore: decorator
  @inline
  bool(name: string, value: bool): Output {
    field(changetype<usize>(name));
    truth(value);
    return this;
  }

  // @ts-ignore: decorator
  @inline
  str(name: string, value: string): Output {
    field(changetype<usize>(name));
    text(changetype<usize>(value));
    return this;
  }

  /** A value that is JSON already; control characters in it become spaces. null for "", which Reading.raw() gives when there is none. */
  // @ts-ignore: decorator
  @inline
  raw(name: string, value: string): Output {
    field(changetype<usize>(name));
    json(changetype<usize>(value.length ? value : "null"));
    return this;
  }

  /** The value at `path` of the reading as it was sent, null when it has none. No allocation. */
  // @ts-ignore: decorator
  @inline
  copy(name: string, reading: Reading, path: string): Output {
    field(changetype<usize>(name));
    copyAt(changetype<usize>(path));
    return this;
  }

  /** Opens an object inside; its end() closes it. */
  // @ts-ignore: decorator
  @inline
  object(name: string): Output {
    begin(changetype<usize>(name), 0x7b);
    return this;
  }

  /** Opens an array inside; names of what is written to it are ignored. Its end() closes it. */
  // @ts-ignore: decorator
  @inline
  array(name: string): Output {
    begin(changetype<usize>(name), 0x5b);
    return this;
  }

  /** Closes what was opened last. */
  // @ts-ignore: decorator
  @inline
  end(): Output {
    close();
    return this;
  }
}

/** Begins an output that is a JSON object. */
export function emit(): Output {
  attribute();
  bracket(0x7b);
  return changetype<Output>(1);
}

/** The same to the topic that the gateway makes of its `to` and this suffix. */
// @ts-ignore: decorator
@inline
export function emitTo(topic: string): Output {
  attribute();
  suffix(changetype<usize>(topic));
  bracket(0x7b);
  return changetype<Output>(1);
}

function bracket(c: u32): void {
  if (open == MAX_OPEN) fatal(changetype<usize>("emit"), changetype<usize>("at most 64 levels"));
  used = true;
  byte(c);
  const bit = (<u64>1) << open++;
  if (c == 0x5b) arrays |= bit;
  else arrays &= ~bit;
  comma = false;
}

/** The comma and the name in front of a value. */
function field(name: usize): void {
  if (!open) fatal(changetype<usize>("emit"), changetype<usize>("an object that is not closed"));
  reserve();
  if (comma) byte(0x2c);
  comma = true;
  if ((arrays >> (open - 1)) & 1) return;
  text(name);
  byte(0x3a);
}

function begin(name: usize, c: u32): void {
  field(name);
  bracket(c);
}

function close(): void {
  if (!open) return;
  reserve();
  byte((arrays >> --open) & 1 ? 0x5d : 0x7d);
  comma = true;
  if (!open) byte(0x0a);
}

/** Closes all that is open. */
export function closeObject(): void {
  if (used) while (open) close();
}

function text(value: usize): void {
  byte(0x22);
  put(value, QUOTED);
  byte(0x22);
}

function integer(value: i64): void {
  if (value < 0) byte(0x2d);
  natural64(value < 0 ? -value : value);
}

function truth(value: bool): void {
  json(value ? changetype<usize>("true") : changetype<usize>("false"));
}
