// From the digits of a JSON number to the nearest double, exact to the last bit. The text has
// passed scan(), so the first byte that fits no more ends it.
import { below, bits, scale, scale10, set, shift, top } from "./big";

/** 10^0 … 10^22, the powers of ten that are doubles; filled when the module starts. */
const powers = memory.data(23 * 8, 8);
for (let i: usize = 0, power: f64 = 1; i < 23 * 8; i += 8, power *= 10) store<f64>(powers + i, power);

/** 10^n for n in 0 … 22 */
// @ts-ignore: decorator
@inline
export function power(n: i32): f64 {
  return load<f64>(powers + (<usize>n << 3));
}

/** The number at p. Overflow is Infinity, as in JavaScript. */
export function decimal(p: usize): f64 {
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  const start = p;
  let mantissa: u64 = 0;
  /** Digits of the mantissa, zeros in front not counted. */
  let count: i32 = 0;
  let exponent: i32 = 0;
  let point: i32 = 0;
  let c: u32;
  while (true) {
    c = load<u8>(p);
    const digit = c - 0x30;
    if (digit < 10) {
      mantissa = mantissa * 10 + digit;
      if (digit || count) count++;
      exponent -= point;
    } else if (c == 0x2e) point = 1;
    else break;
    p++;
  }
  if ((c | 0x20) == 0x65) exponent += power10(p);
  let result: f64;
  if (count < 20 && mantissa <= 0x20000000000000 && <u32>(exponent + 22) < 45)
    // Clinger: both sides of the operation are exact, so IEEE rounding makes the result right.
    result = exponent < 0 ? <f64>mantissa / power(-exponent) : <f64>mantissa * power(exponent);
  else if (count < 20) {
    set(mantissa);
    result = assemble(count, exponent, false);
  } else result = long(start, count, exponent);
  return negative ? -result : result;
}

/** The exponent whose `e` is at p, kept within ±99,999 (more digits than a line can hold). */
export function power10(p: usize): i32 {
  let c: u32 = load<u8>(++p);
  const negative = c == 0x2d;
  if (negative || c == 0x2b) c = load<u8>(++p);
  let value: i32 = 0;
  while (c - 0x30 < 10) {
    if (value < 1000000) value = value * 10 + (c - 0x30);
    c = load<u8>(++p);
  }
  return negative ? -value : value;
}

/** Digits that can decide a rounding: a double's midpoints have at most 767. */
const DIGITS: i32 = 800;

/** A number of `count` digits, more than 64 bits hold. */
function long(p: usize, count: i32, exponent: i32): f64 {
  const dropped = max(0, count - DIGITS);
  let left = count - dropped;
  let lost = false;
  set(0);
  for (let seen = false; ; p++) {
    const digit = <u32>load<u8>(p) - 0x30;
    if (digit < 10) {
      seen = seen || digit != 0;
      if (!seen) continue;
      if (left) {
        scale(10, digit);
        left--;
      } else lost = lost || digit != 0;
    } else if (digit != 0x2e - 0x30) break;
  }
  return assemble(count - dropped, exponent + dropped, lost);
}

/** big × 10^exponent as a double; big has `count` digits, `lost` says that it was cut. */
export function assemble(count: i32, exponent: i32, lost: bool): f64 {
  if (!count || exponent + count < -326) return 0;
  if (exponent + count > 310) return Infinity;
  let shifted: i32 = 0;
  if (exponent < 0) {
    // Enough bits that 66 are left after the division: log2(10) < 3402 / 1024.
    shifted = max(0, (66 + ((-exponent * 3402) >> 10) - bits() + 31) >> 5);
    shift(<usize>shifted);
  }
  if (scale10(exponent)) lost = true;
  const high = top();
  return round(bits() - 1 - (shifted << 5), high, lost || below);
}

/** The double nearest to 1.… × 2^exponent, half to even; `high` holds the leading 64 bits. */
function round(exponent: i32, high: u64, lost: bool): f64 {
  if (exponent > 1023) return Infinity;
  const drop = 11 + max(0, -1022 - exponent);
  if (drop > 64) return 0;
  // wasm shifts modulo 64
  let mantissa: u64 = drop == 64 ? 0 : high >> drop;
  const rest = high << (64 - drop);
  const half: u64 = 0x8000000000000000;
  if (rest > half || (rest == half && (lost || mantissa & 1))) mantissa++;
  // The mantissa's leading bit, or its carry, counts the exponent up: to Infinity if need be.
  return reinterpret<f64>((<u64>max(0, exponent + 1022) << 52) + mantissa);
}
