// Lines from stdin, and the loop that works on them.
//
//   buffer  | partial line (0 … MAX_LINE) | what one fd_read brings (≥ 64 KiB) | spare |
//
// Only lines that are complete are looked at, so a line means the same wherever the reads
// happen to cut it.
import {
  beginReading, cooperative, ended, endReading, hello, MAX_LINE, obey, RS, settle, tracked,
} from "./control";
import { rejectLong, rejectText } from "./note";
import { handle } from "./reading";
import { scanDocument } from "./path";
import { LF, wrongAt } from "./scan";
import { finish } from "./time";
import { read, WOULD_BLOCK } from "./wasi";

export const BUFFER: usize = 131072;
const buffer = memory.data(131072 + 64, 16);

/** Bytes of a partial line at the start of the buffer. */
let kept: usize = 0;
/** The line that comes is longer than MAX_LINE: its bytes are thrown away as they come. */
let skipping: bool = false;
/** It is a control record, not a reading. */
let skippingControl: bool = false;
let first: bool = true;
let done: bool = false;
let running: bool = false;

/** Works on what stdin has. Returns when it has ended or, cooperative, when it would block. */
export function pump(): void {
  running = true;
  while (!done) {
    const got = read(buffer + kept, BUFFER - kept);
    if (got > 0) take(got);
    else if (got == WOULD_BLOCK) {
      if (cooperative) return;
    } else {
      // The end. A last line without LF counts.
      store<u8>(buffer + kept, LF);
      if (kept || skipping) take(1);
      ended = true;
    }
    if (ended) {
      done = true;
      finish();
      settle();
    }
  }
}

/** Works on the lines that are complete with `got` more bytes. */
function take(got: usize): void {
  const fresh = buffer + kept;
  const end = fresh + got;
  let stop = end;
  while (stop > fresh && load<u8>(stop - 1) != LF) stop--;
  let p = buffer;
  if (stop > fresh) {
    while (p < stop && !ended) p = line(p);
    settle();
  }
  kept = end - p;
  memory.copy(buffer, p, kept);
  if (kept > MAX_LINE) {
    // Too much of one line: its bytes are thrown away as they come.
    if (!skipping) skippingControl = tracked && load<u8>(buffer) == RS;
    skipping = true;
  }
  if (skipping) kept = 0;
}

/** One line. Returns where the next begins. */
function line(p: usize): usize {
  const opening = first;
  first = false;
  if (skipping) {
    // This is only its end.
    skipping = false;
    if (!skippingControl) {
      beginReading();
      rejectLong();
      endReading();
    }
  } else if (opening && hello(p)) {
  } else if (tracked && load<u8>(p) == RS) obey(p);
  else return reading(p);
  return lineEnd(p) + 1;
}

// @ts-ignore: decorator
@inline
function reading(p: usize): usize {
  beginReading();
  const good = scanDocument(p);
  const end = good ? good : lineEnd(wrongAt);
  if (end - p > MAX_LINE) rejectLong();
  else if (good) handle(p, end);
  else rejectText(p);
  endReading();
  return end + 1;
}

function lineEnd(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  return p;
}

/** The buffer, for who needs memory before the first read; 0 afterwards. */
export function borrowBuffer(): usize {
  return running ? 0 : buffer;
}
