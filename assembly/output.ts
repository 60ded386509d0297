// Bytes on their way to stdout. They leave when the batch is done, or when the buffer is full:
// then up to the line being written, so that a line is cut only if it is longer than all of it.
import { size } from "./text";
import { proc_exit, STDOUT, write } from "./wasi";

const ROOM: usize = 65536;
/** Copied between two looks at the room. */
const SLACK: usize = 8192;
/** Behind SLACK there is room for 1,024 bytes of punctuation and numbers that nobody counts. */
const buffer = memory.data(65536 + 8192 + 1024 + 16, 16);

/** Where the next byte goes. */
let at: usize = buffer;
/** Where the line being written, with the control records in front of it, begins. */
let lineAt: usize = buffer;

/** Makes sure that SLACK bytes, and 1,024 behind them, fit. */
// @ts-ignore: decorator
@inline
export function reserve(): void {
  if (at > buffer + ROOM) spill();
}

/** A line begins here. */
// @ts-ignore: decorator
@inline
export function beginLine(): void {
  reserve();
  lineAt = at;
}

function spill(): void {
  const whole = lineAt > buffer ? lineAt : at;
  send(buffer, whole - buffer);
  memory.copy(buffer, whole, at - whole);
  at -= whole - buffer;
  lineAt = buffer;
}

/** Sends all there is. */
export function flush(): void {
  send(buffer, at - buffer);
  at = buffer;
  lineAt = buffer;
}

/** Whoever read our output is gone: nothing is left to do (128 + SIGPIPE, as in C). */
function send(from: usize, length: usize): void {
  if (length && !write(STDOUT, from, length)) proc_exit(141);
}

// @ts-ignore: decorator
@inline
export function byte(c: u32): void {
  store<u8>(at++, c);
}

/** Where the next byte goes, for those who write by themselves … */
export function cursor(): usize {
  return at;
}

/** … and say how far they came. */
export function advance(to: usize): void {
  at = to;
}

/** A literal: ASCII only, short. */
// @ts-ignore: decorator
@inline
export function ascii(literal: string): void {
  narrow(changetype<usize>(literal));
}

function narrow(from: usize): void {
  const end = from + size(from);
  let to = at;
  at = to + ((end - from) >> 1);
  if (ASC_FEATURE_SIMD) {
    // 8 characters a step; what is stored behind the last is overwritten by what follows.
    for (; from < end; from += 16, to += 8) {
      const v = v128.load(from);
      v128.store64_lane(to, i8x16.narrow_i16x8_u(v, v), 0);
    }
  } else {
    // 4 characters a step: 0a0b0c0d → 0a0b…0c0d… → abcd
    for (; from < end; from += 8, to += 4) {
      let v = load<u64>(from);
      v |= v >> 8;
      store<u32>(to, <u32>((v & 0xffff) | ((v >> 16) & 0xffff0000)));
    }
  }
}

/** Any number of bytes from elsewhere in memory. */
export function bytes(from: usize, length: usize): void {
  reserve();
  while (length > SLACK) {
    memory.copy(at, from, SLACK);
    at += SLACK;
    from += SLACK;
    length -= SLACK;
    reserve();
  }
  if (length > 64) memory.copy(at, from, length);
  else {
    // Below 64 bytes a loop of words beats the call into the engine's memmove.
    for (let i: usize = 0; i < length; i += 8) store<u64>(at + i, load<u64>(from + i));
  }
  at += length;
}

export function natural(n: u64): void {
  const digits: usize = n < 10 ? 1 : count(n);
  let p = at + digits;
  at = p;
  do {
    store<u8>(--p, 0x30 + <u32>(n % 10));
    n /= 10;
  } while (n);
}

function count(n: u64): usize {
  let digits: usize = 0;
  for (; n; n /= 10) digits++;
  return digits;
}
