// JSON numbers: one reader for checking and for their value, and from there to the nearest
// double, exact to the last bit.
import { bits, clear, isZero, isLong, lose, lost, scale, scale10, top, widen } from "./big";
import { DIGIT, fail } from "./scan";

/** What number() has read is mantissa × 10^exponent; a mantissa over 2^60 is cut off. */
let mantissa: u64 = 0;
let exponent: i32 = 0;

/** Behind the number at p, or 0. */
export function number(p: usize): usize {
  mantissa = 0;
  exponent = 0;
  if (load<u8>(p) == 0x2d) p++;
  // Behind a leading 0 no digit is expected.
  p = load<u8>(p) == 0x30 ? p + 1 : digits(p);
  // At address 0, which stands for a mistake, nothing goes on: there is a 0.
  if (load<u8>(p) == 0x2e) {
    const point = p + 1;
    p = digits(point);
    exponent = <i32>(point - p);
  }
  return (load<u8>(p) | 0x20) == 0x65 ? power10(p + 1) : p;
}

/** The exponent at p. */
function power10(p: usize): usize {
  const kept = mantissa;
  const sign: u32 = load<u8>(p);
  if (sign == 0x2b || sign == 0x2d) p++;
  mantissa = 0;
  p = digits(p);
  // A line holds fewer digits than that.
  const value = <i32>min<u64>(mantissa, 1000000);
  exponent += sign == 0x2d ? -value : value;
  mantissa = kept;
  return p;
}

/** Behind the digits at p, or 0. */
function digits(p: usize): usize {
  let c = <u32>load<u8>(p) - 0x30;
  if (c > 9) return fail(DIGIT, p);
  let value = mantissa;
  do {
    if (!(value >> 60)) value = value * 10 + c;
    c = <u32>load<u8>(++p) - 0x30;
  } while (c < 10);
  mantissa = value;
  return p;
}

/** 10^n, exact for n in 0 … 22 */
export function power(n: i32): f64 {
  let result: f64 = 1;
  for (; n > 0; n--) result *= 10;
  return result;
}

/** The checked number at p. Overflow is Infinity, as in JavaScript. */
export function decimal(p: usize): f64 {
  if (ASC_FEATURE_SIMD) {
    const quick = short(p);
    if (!isNaN(quick)) return quick;
  }
  number(p);
  let result = <f64>mantissa;
  if (!(mantissa >> 53) && <u32>(exponent + 22) < 45)
    // Clinger: both sides of the operation are exact, so IEEE rounding makes the result right.
    result = exponent < 0 ? result / power(-exponent) : result * power(exponent);
  else result = exact(p);
  return load<u8>(p) == 0x2d ? -result : result;
}

/**
 * For the faster build: what sensors send, up to 15 digits with a point and without an exponent, in one
 * loop without calls; NaN otherwise. Exact for the same reason.
 */
// @ts-ignore: decorator
@inline
function short(p: usize): f64 {
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  const start = p;
  let value: i64 = 0;
  let unit: f64 = 1;
  let c = <u32>load<u8>(p) - 0x30;
  for (; c < 10; c = <u32>load<u8>(++p) - 0x30) value = value * 10 + c;
  if (c == 0x2e - 0x30) {
    c = <u32>load<u8>(++p) - 0x30;
    for (; c < 10; c = <u32>load<u8>(++p) - 0x30) {
      value = value * 10 + c;
      unit *= 10;
    }
  }
  if (p - start > 15 || (load<u8>(p) | 0x20) == 0x65) return NaN;
  const result = <f64>value / unit;
  return negative ? -result : result;
}

/** All others: the number at p, which number() has read, with all of its digits. */
function exact(p: usize): f64 {
  clear(room(exponent));
  for (; ; p++) {
    const digit = <u32>load<u8>(p) - 0x30;
    if (digit < 10) {
      if (isLong()) {
        exponent++;
        lose(digit);
      } else scale(10, digit);
    } else if (digit + 3 > 1) break; // neither a minus sign nor a point
  }
  return assemble(exponent);
}

/** Limbs below a number that leave it 64 bits when it is divided by 10^-exponent: log2(10) / 32 < 107 / 1024. */
export function room(exponent: i32): usize {
  return exponent < 0 ? (<usize>(min(-exponent, LEAST) * 107) >> 10) + 3 : 0;
}

/** Below 10^-LEAST, 800 digits make no double. */
const LEAST: i32 = 1200;

/** big, made with room(exponent), × 10^exponent as the nearest double, half to even. */
export function assemble(exponent: i32): f64 {
  if (isZero() || exponent < -LEAST) return 0;
  if (exponent > 310) return Infinity;
  const shifted = widen();
  scale10(exponent);
  const high = top();
  // 1.… × 2^(biased - 1022), of which `high` holds the leading 64 bits
  let biased = bits() - shifted + 1021;
  if (biased > 2045) return Infinity;
  let drop = 11;
  if (biased < 0) {
    drop -= biased;
    biased = 0;
  }
  if (drop > 64) return 0;
  let mantissa = high >> (drop - 1);
  let half = mantissa & 1;
  mantissa >>= 1;
  if (!(<u64>lost | (high << (65 - drop)))) half &= mantissa;
  // The mantissa's leading bit, or its carry, counts the exponent up: to Infinity if need be.
  return reinterpret<f64>((<u64>biased << 52) + mantissa + half);
}
