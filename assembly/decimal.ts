// JSON numbers: checked by one function, read as the nearest double, exact to the last bit, by another.
import { bits, clear, isZero, isLong, lose, lost, scale, scale10, top, widen } from "./big";
import { DIGIT, fail } from "./scan";

/** The digits of what number() has found last, without their point, × 10^exponent. */
let exponent: i32 = 0;

/** Behind the number at p, or 0. */
export function number(p: usize): usize {
  if (load<u8>(p) == 0x2d) p++;
  exponent = 0;
  // Behind a leading 0 no digit is expected.
  p = load<u8>(p) == 0x30 ? p + 1 : digits(p);
  // At address 0, which stands for a mistake, nothing goes on: there is a 0.
  if (load<u8>(p) == 0x2e) {
    const point = p + 1;
    p = digits(point);
    exponent = <i32>(point - p);
  }
  if ((load<u8>(p) | 0x20) != 0x65) return p;
  const sign: u32 = load<u8>(++p);
  if (sign == 0x2b || sign == 0x2d) p++;
  const end = digits(p);
  let power: i32 = 0;
  // A line holds fewer digits than that.
  for (; p < end; p++) power = min(power * 10 + load<u8>(p) - 0x30, 1000000);
  exponent += sign == 0x2d ? -power : power;
  return end;
}

/** Behind the digits at p, or 0. */
function digits(p: usize): usize {
  const first = p;
  while (<u32>load<u8>(p) - 0x30 < 10) p++;
  return p > first ? p : fail(DIGIT, p);
}

/** 10^n, exact for n in 0 … 22 */
export function power(n: i32): f64 {
  let result: f64 = 1;
  for (; n > 0; n--) result *= 10;
  return result;
}

/**
 * The checked number at p. Overflow is Infinity, as in JavaScript.
 *
 * What sensors send, up to 15 digits with a point and without an exponent, is read in one loop: both sides
 * of the division are exact, so that IEEE rounding makes the result right (Clinger).
 */
export function decimal(p: usize): f64 {
  const start = p;
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  let value: i64 = 0;
  /** Behind the point. */
  let point: usize = 0;
  let c: u32;
  while (true) {
    c = <u32>load<u8>(p++) - 0x30;
    if (c < 10) value = value * 10 + c;
    else if (c == 0x2e - 0x30) point = p;
    else break;
  }
  const result = p - start > 16 || (c | 0x20) == 0x65 - 0x30 ? exact(start) : <f64>value / power(point ? <i32>(p - point) - 1 : 0);
  return negative ? -result : result;
}

/** All others, with all of their digits; without the sign. */
function exact(p: usize): f64 {
  number(p);
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
  // 64 bits, of which the last stands for all below as well: it decides a half, and is not kept.
  let high = top();
  high |= u64(lost != 0);
  // 1.… × 2^(biased - 1023)
  let biased = bits() - shifted + 1022;
  if (biased > 2046) return Infinity;
  if (biased < 1) {
    // Below the normal doubles bits go, and the first one is not implied.
    for (; biased < 1; biased++) high = (high >> 1) | (high & 1);
    biased = 0;
  }
  // The conversion rounds, half to even; a carry counts the exponent up, to Infinity if need be.
  const rounded = reinterpret<u64>(<f64>(high | 0x8000000000000000));
  return reinterpret<f64>(rounded + (<u64>(biased - 1086) << 52));
}
