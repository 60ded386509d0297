// Bytes on their way to stdout. They leave when the batch is done, or when the buffer is full:
// then up to the line being written, so that a line is cut only if it is longer than all of it.
//
//   memory  | note (1 KiB) | message (2 KiB) | lines (16 KiB) | slack (64 KiB) | 1 KiB |
//
// Everything is written at one cursor. Notes about a reading (note.ts) and messages for stderr
// (log.ts) are put together by the same functions, with the cursor lent to them.
import { output } from "./memory";
import { proc_exit, STDOUT, write } from "./wasi";

/** Memory is what a snapshot of a filter copies, and a write costs little beside 16 KiB of outputs. */
const ROOM: usize = 16384;
const buffer = output;

/** Where the next byte goes. */
let at: usize = buffer;
/** Where the line being written, with the control records in front of it, begins. */
let lineAt: usize = 0;

/** Makes sure that a line, and 1,024 bytes for what nobody counts, fit. */
// @ts-ignore: decorator
@inline
export function reserve(): void {
  if (at > buffer + ROOM) spill();
}

/** A line begins here. */
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
  lineAt = at;
  spill();
}

/** Whoever read our output is gone: nothing is left to do (128 + SIGPIPE, as in C). */
function send(from: usize, length: usize): void {
  if (!write(STDOUT, from, length)) proc_exit(141);
}

export function byte(c: u32): void {
  store<u8>(at++, c);
}

/** Eight bytes. */
// @ts-ignore: decorator
@inline
export function word(bytes: u64): void {
  store<u64>(at, bytes);
  at += 8;
}

/** At most a line's bytes from elsewhere in memory. */
export function bytes(from: usize, length: usize): void {
  reserve();
  // Up to 64 bytes a loop beats the call into the engine's memmove; what it stores behind the
  // last byte is overwritten by what follows.
  if (ASC_FEATURE_SIMD && length <= 64)
    for (let i: usize = 0; i < length; i += 16) v128.store(at + i, v128.load(from + i));
  else memory.copy(at, from, length);
  at += length;
}

/** Up to 8 ASCII characters, the first lowest. */
export function characters(word: u64): void {
  for (; word; word >>= 8) byte(<u32>word);
}

/** 32 bits, because dividing them by 10 is a multiplication: with 64 tracking costs 8 %, so 4 %. */
export function natural(n: u32): void {
  if (n > 9) natural(n / 10);
  byte(0x30 + (n % 10));
}

/** The same for 64 bits. */
export function natural64(n: u64): void {
  if (n >= 1000000000) {
    natural64(n / 1000000000);
    const low = <u32>(n % 1000000000);
    for (let unit: u32 = 100000000; unit; unit /= 10) byte(0x30 + ((low / unit) % 10));
  } else natural(<u32>n);
}

/** Where the next byte goes. */
export function cursor(): usize {
  return at;
}

/** The output's cursor while it is lent. */
let lent: usize = 0;

/** What is written from now on goes to `to` … */
export function lend(to: usize): void {
  lent = at;
  at = to;
}

/** … until now. Returns where it ends. */
export function giveBack(): usize {
  const end = at;
  at = lent;
  return end;
}
