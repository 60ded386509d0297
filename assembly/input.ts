// Lines from stdin, and the loop that works on them.
//
//   buffer  | partial line (0 … MAX_LINE) | what one fd_read brings (≥ 64 KiB) | spare |
//
// Only lines that are complete are looked at, so a line means the same wherever the reads
// happen to cut it.
import {
  beginReading, cooperative, end, ended, endReading, hello, MAX_LINE, obey, opening, RS, settle, tracked,
} from "./control";
import { entries, input } from "./memory";
import { rejectLine } from "./note";
import { handle } from "./reading";
import { forgetModel, LF, scan, wrongAt } from "./scan";
import { finish } from "./time";
import { bytesRead, EAGAIN, EINTR, read } from "./wasi";

export const BUFFER: usize = 131072;
const buffer = input;

/** Bytes of a partial line at the start of the buffer. */
let kept: usize = 0;

/** Works on what stdin has. Returns when it has ended or, cooperative, when it would block. */
export function pump(): void {
  while (!ended) {
    const errno = read(buffer + kept, BUFFER - kept);
    if (errno == EAGAIN && cooperative) return;
    if (errno == EAGAIN || errno == EINTR) continue;
    let got: usize = errno ? 0 : bytesRead();
    const last = !got;
    if (last) {
      // A last line without LF counts.
      store<u8>(buffer + kept, LF);
      got = usize(kept != 0);
    }
    take(got);
    if (last) end();
    if (ended) {
      finish();
      settle();
    }
  }
}

/** Works on the lines that are complete with `got` more bytes. */
// @ts-ignore: decorator
@inline
function take(got: usize): void {
  forgetModel();
  const fresh = buffer + kept;
  const behind = fresh + got;
  let stop = behind;
  while (stop > fresh && load<u8>(stop - 1) != LF) stop--;
  let p = buffer;
  if (stop > fresh) {
    while (p < stop && !ended) p = line(p) + 1;
    settle();
  }
  // What a line has too much is thrown away as it comes, but for the byte that shows it.
  kept = min(behind - p, MAX_LINE + 1);
  memory.copy(buffer, p, kept);
}

/** One line. Returns where its LF is. */
function line(p: usize): usize {
  if (opening() && hello(p)) {
  } else if (tracked && load<u8>(p) == RS) obey(p);
  else return reading(p);
  return lineEnd(p);
}

// @ts-ignore: decorator
@inline
function reading(p: usize): usize {
  beginReading();
  const good = scan(p, entries);
  const end = good ? good : lineEnd(wrongAt);
  const long = end - p > MAX_LINE;
  if (good && !long) handle(p, end);
  else rejectLine(p, long);
  endReading();
  return end;
}

function lineEnd(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  return p;
}
