// From the digits of a JSON number to the nearest double, exact to the last bit. The text has
// passed scan(), so the first byte that fits no more ends it.
import { below, bits, clear, scale, scale10, shift, top } from "./big";

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
  let c: u32 = load<u8>(p);
  const negative = c == 0x2d;
  if (negative) c = load<u8>(++p);
  const start = p;
  let mantissa: u64 = 0;
  do {
    mantissa = mantissa * 10 + (c - 0x30);
    c = load<u8>(++p);
  } while (c - 0x30 < 10);
  let digits = p - start;
  let exponent: i32 = 0;
  if (c == 0x2e) {
    c = load<u8>(++p);
    const fraction = p;
    do {
      mantissa = mantissa * 10 + (c - 0x30);
      c = load<u8>(++p);
    } while (c - 0x30 < 10);
    exponent = <i32>(fraction - p);
    digits += p - fraction;
  }
  if ((c | 0x20) == 0x65) exponent += power10(p);
  // Clinger: both sides of the operation are exact, so IEEE rounding makes the result right.
  let result: f64;
  if (digits > 19 || mantissa > 0x20000000000000 || exponent < -22 || exponent > 22) result = exact(start);
  else if (exponent < 0) result = <f64>mantissa / power(-exponent);
  else result = <f64>mantissa * power(exponent);
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

/** The same for any number, without its sign. */
function exact(p: usize): f64 {
  let count: i32 = 0;
  let exponent: i32 = 0;
  let point: i32 = 0;
  let lost = false;
  let part: u32 = 0;
  let unit: u32 = 1;
  clear();
  while (true) {
    const c: u32 = load<u8>(p++);
    if (c == 0x2e) {
      point = 1;
      continue;
    }
    const digit = c - 0x30;
    if (digit > 9) {
      if ((c | 0x20) == 0x65) exponent += power10(p - 1);
      break;
    }
    if (count == DIGITS) {
      lost = lost || digit != 0;
      exponent += 1 - point;
      continue;
    }
    exponent -= point;
    if (!count && !digit) continue;
    count++;
    part = part * 10 + digit;
    unit *= 10;
    if (unit == 1000000000) {
      scale(unit, part);
      part = 0;
      unit = 1;
    }
  }
  scale(unit, part);
  return assemble(count, exponent, lost);
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
