// One natural number of up to 253 limbs of 32 bits, lowest first. Enough for everything that
// decides the last bit of a double: 800 digits × 10^±1200 need some 200.
//
//   memory  | 3 limbs of 0, so that top() needs no bounds | base: zeros | low: number | end |
import { power } from "./decimal";
import { limbs } from "./memory";

const base = limbs + 12;
let low: usize = 0;
let end: usize = 0;
/** Not 0 when digits or bits below the number were cut off since it was made. */
export let lost: u32 = 0;

/** big = 0, with room for `zeros` limbs below it. */
export function clear(zeros: usize): void {
  low = base + (zeros << 2);
  memory.fill(base, 0, zeros << 2);
  end = low;
  lost = 0;
}

/** Cuts off a digit. */
// @ts-ignore: decorator
@inline
export function lose(digit: u32): void {
  lost |= digit;
}

/** big = n, in that room */
export function set(n: u64, zeros: usize): void {
  clear(zeros);
  store<u64>(low, n);
  end = low + 8;
  while (end > low && !load<u32>(end - 4)) end -= 4;
}

// @ts-ignore: decorator
@inline
export function isZero(): bool {
  return end == low;
}

/** Whether it has 800 digits: more cannot decide a rounding, as a double's midpoints have at most 767. */
// @ts-ignore: decorator
@inline
export function isLong(): bool {
  return end - low > 332;
}

/** The zeros below become part of the number: returns how many bits that are. */
// @ts-ignore: decorator
@inline
export function widen(): i32 {
  const count = <i32>(low - base) << 3;
  low = base;
  return count;
}

/** × factor + carry */
export function scale(factor: u32, carry: u32): void {
  let rest: u64 = carry;
  let p = low;
  for (; p < end; p += 4) {
    rest += <u64>load<u32>(p) * factor;
    store<u32>(p, <u32>rest);
    rest >>= 32;
  }
  if (rest) {
    store<u32>(p, <u32>rest);
    end = p + 4;
  }
}

/** Divides by `divisor` of at most 2^31, rounding down to what must not be 0. */
function divide(divisor: u64): void {
  let rest: u64 = 0;
  for (let p = end; p > low; ) {
    p -= 4;
    rest = (rest << 32) | load<u32>(p);
    const quotient = rest / divisor;
    store<u32>(p, <u32>quotient);
    rest -= quotient * divisor;
  }
  if (!load<u32>(end - 4)) end -= 4;
  lost |= <u32>rest;
}

/** × 10^n, rounded down. */
export function scale10(n: i32): void {
  for (; n > 0; n--) scale(10, 0);
  // Divisions are slow: nine digits at a time, while there are nine.
  for (let step = 0; n < 0; n += step) {
    step = min(-n, 9);
    divide(<u64>power(step));
  }
}

export function bits(): i32 {
  return <i32>((end - base) << 3) - <i32>clz(load<u32>(end - 4));
}

/** The highest 64 bits, the first of them set; the others are lost. The number must not be 0. */
export function top(): u64 {
  const p = end - 12;
  const free = <u64>clz(load<u32>(p, 8));
  const last = <u64>load<u32>(p) << free;
  lost |= <u32>last;
  for (let q: usize = base; q < p; q += 4) lost |= load<u32>(q);
  return (load<u64>(p, 4) << free) | (last >> 32);
}

/** big, when it fits */
export function small(): u64 {
  store<u64>(end, 0);
  return load<u64>(low);
}

/** × 2^count, for what set() has made with (count >> 5) zeros */
export function shiftLeft(count: i32): void {
  widen();
  scale((<u32>1) << (count & 31), 0);
}

/** ÷ 2^count, rounded down. */
export function shiftRight(count: i32): void {
  for (; count > 31; count -= 31) divide(0x80000000);
  divide((<u64>1) << count);
}
