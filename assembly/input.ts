// Lines from stdin, and the loop that works on them.
//
//   buffer  | partial line (0 … MAX_LINE) | what one fd_read brings (≥ 64 KiB) | spare |
//
// Only lines that are complete are looked at, so a line means the same wherever the reads
// happen to cut it.
import {
  beginReading, cooperative, ended, endReading, hello, isHello, MAX_LINE, obey, RS, settle, tracked,
} from "./control";
import { finish } from "./time";
import { handle } from "./reading";
import { refuse, refuseLong } from "./refusal";
import { LF, scan, wrongAt } from "./scan";
import { read, WOULD_BLOCK } from "./wasi";

const SIZE: usize = 131072;
const buffer = memory.data(131072 + 64, 16);

/** Bytes of a partial line at the start of the buffer. */
let kept: usize = 0;
/** The line that comes is longer than MAX_LINE: its bytes are thrown away as they come. */
let skipping: bool = false;
/** It is a control record, not a reading. */
let skippingControl: bool = false;
let first: bool = true;
let done: bool = false;

/** Works on what stdin has. Returns when it has ended or, cooperative, when it would block. */
export function pump(): void {
  while (!done) {
    const got = read(buffer + kept, SIZE - kept);
    if (got == WOULD_BLOCK) {
      if (cooperative) return;
      continue;
    }
    if (got) take(got);
    else end();
    if (ended) end();
  }
}

/** Works on the lines that are complete with `got` more bytes. */
function take(got: usize): void {
  const fresh = buffer + kept;
  const end = fresh + got;
  let stop = end;
  while (stop > fresh && load<u8>(stop - 1) != LF) stop--;
  if (stop > fresh) {
    let p = buffer;
    if (skipping) p = resume();
    while (p < stop && !ended) p = line(p);
    settle();
    kept = end - stop;
    memory.copy(buffer, stop, kept);
  } else kept += got;
  if (kept > MAX_LINE || skipping) discard();
}

/** Throws away the partial line of which too much has come. */
function discard(): void {
  if (!skipping) skippingControl = tracked && load<u8>(buffer) == RS;
  skipping = true;
  kept = 0;
}

/** The rest of a skipped line is at the start of the buffer. Returns where the next begins. */
function resume(): usize {
  skipping = false;
  if (!skippingControl) {
    beginReading();
    refuseLong();
    endReading();
  }
  return lineEnd(buffer) + 1;
}

function lineEnd(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  return p;
}

/** One line. Returns where the next begins. */
// @ts-ignore: decorator
@inline
function line(p: usize): usize {
  if (first) {
    first = false;
    if (isHello(p)) {
      const end = lineEnd(p);
      hello(p, end);
      return end + 1;
    }
  }
  if (tracked && load<u8>(p) == RS) {
    const end = lineEnd(p);
    obey(p, end);
    return end + 1;
  }
  beginReading();
  const good = scan(p);
  const end = good ? good : lineEnd(wrongAt);
  if (end - p > MAX_LINE) refuseLong();
  else if (good) handle(p);
  else refuse(p);
  endReading();
  return end + 1;
}

/** No more input: a last line without LF counts, then what timers and windows still hold. */
function end(): void {
  if (done) return;
  done = true;
  if (skipping) resumeAtEnd();
  else if (kept && !ended) {
    store<u8>(buffer + kept, LF);
    line(buffer);
  }
  finish();
  settle();
}

function resumeAtEnd(): void {
  store<u8>(buffer, LF);
  resume();
}

export function inputBuffer(): usize {
  return buffer;
}
export function inputSize(): usize {
  return SIZE;
}
