// Time comes from the gateway, in time records: a filter is a function of its input, and a
// replay with the same records gives the same outputs. In plain mode there is none.
import { closeObject } from "./object";
import { forgetNote } from "./note";
import { characters, natural } from "./output";
import { handler } from "./reading";
import { fatal } from "./stderr";

/** A timer: | period in ms i64, 0: at the end | function's table index u32 | – |. */
const TIMER: usize = 16;
const timers = memory.data(16 * 16, 8);
/** Bytes of them in use; never more than 0 in filters without timers, which therefore lack the loops. */
let used: usize = 0;

let time: i64 = 0;
/** Whether there has been a time record. */
let known: bool = false;
/** Whether the filter wants time records. */
let wanted: bool = false;

function want(): bool {
  wanted = true;
  return true;
}

/**
 * The compiler sets a @lazy global when the program first refers to it, in front of the
 * statement that does: a filter that calls now() anywhere asks for time before it runs.
 */
// @ts-ignore: decorator
@lazy
let asked: bool = want();

/** Milliseconds since 1970: the present, or the moment for which a timer was due. 0 when unknown. */
export function now(): i64 {
  return asked ? time : 0;
}

/**
 * Calls `work` each time another multiple of `ms` since 1970 has passed: once, with now() being
 * the latest of them, however many there were.
 */
// @ts-ignore: decorator
@inline
export function every(ms: i64, work: () => void): void {
  want();
  // 0 would be the end's.
  add(ms ? ms : -1, changetype<usize>(work));
}

/** Calls `work` when there is no more input. */
// @ts-ignore: decorator
@inline
export function atEnd(work: () => void): void {
  add(0, changetype<usize>(work));
}

function add(period: i64, work: usize): void {
  // The hello that asks for time has been said, or there is no more input.
  if (handler) fatal(changetype<usize>("every() or atEnd()"), changetype<usize>("before run()"));
  if (used == 16 * TIMER) fatal(changetype<usize>("every"), changetype<usize>("at most 16 of it"));
  if (period < 0 || period > 0xffffffff) fatal(changetype<usize>("every"), changetype<usize>("1 to 4294967295 ms"));
  store<i64>(timers + used, period);
  store<u32>(timers + used, load<u32>(work), 8);
  used += TIMER;
}

/** The hello's features " time" and " every=MS". */
export function sayTime(): void {
  if (!wanted) return;
  let least: i64 = i64.MAX_VALUE;
  for (let p: usize = 0; p < used; p += TIMER) {
    const period = load<i64>(timers + p);
    if (period) least = min(least, period);
  };
  characters(0x656d697420);
  if (least == i64.MAX_VALUE) return;
  characters(0x3d797265766520);
  natural(<u32>least);
}

/** A time record's digits are at p. */
export function tick(p: usize): void {
  if (!wanted) return;
  let present: i64 = 0;
  for (let digit: u32; (digit = <u32>load<u8>(p) - 0x30) < 10; p++) present = present * 10 + digit;
  const before = time;
  for (let timer: usize = 0; timer < used; timer += TIMER) {
    const period = load<i64>(timers + timer);
    if (!period || !known) continue;
    time = present - (present % period);
    if (time > before) call(timer);
  }
  time = max(before, present);
  known = true;
}

/** No more input. */
export function finish(): void {
  for (let timer: usize = 0; timer < used; timer += TIMER) if (!load<i64>(timers + timer)) call(timer);
}

function call(timer: usize): void {
  call_indirect<void>(load<u32>(timers + timer, 8));
  closeObject();
  // There is no reading to drop or reject.
  forgetNote();
}
