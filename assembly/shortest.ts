// A double as the shortest decimal that means it, laid out as JavaScript does: 0.1, 100, 1e+21.
import { say } from "./text";
import { lost, scale10, set, shiftLeft, shiftRight, small } from "./big";
import { assemble, power, room } from "./decimal";
import { byte, natural64 } from "./output";
import { NULL } from "./words";

/** value = digits × 10^exponent */
let digits: u64 = 0;
let exponent: i32 = 0;

/** Writes a number; NaN and infinities, which JSON lacks, as null. */
export function shortest(value: f64): void {
  if (value - value != 0) {
    say(NULL);
    return;
  }
  if (value < 0) byte(0x2d);
  value = abs(value);
  if (!short(value)) long(value);
  while (exponent < 0 && digits % 10 == 0) {
    if (!digits) exponent = -1;
    digits /= 10;
    exponent++;
  }
  layOut();
}

/**
 * Up to 15 digits and 22 decimals: the first power of ten that makes an integer of it which,
 * divided by that power again, gives the value. Both are exact doubles, so the division proves it.
 */
function short(value: f64): bool {
  for (let n = 0; n <= 22; n++) {
    const scaled = nearest(value * power(n));
    if (scaled >= 1e15) return false;
    if (scaled / power(n) == value) {
      digits = <u64>scaled;
      exponent = -n;
      return true;
    }
  }
  return false;
}

/** All others: 18 exact digits, then as few as still read as the value. */
function long(value: f64): void {
  const bits = reinterpret<u64>(value);
  const biased = <i32>(bits >> 52);
  const mantissa = (bits & 0xfffffffffffff) | (biased ? 0x10000000000000 : 0);
  const binary = max(biased, 1) - 1075;
  // log10(2) ≈ 19728 / 65536; one off at most, in either direction
  let decimals = 17 - (((binary + 63 - <i32>clz(mantissa)) * 19728) >> 16);
  let all: u64;
  while (true) {
    expand(mantissa, binary, decimals);
    all = small();
    if (all >= 1000000000000000000) decimals--;
    else if (all < 100000000000000000) decimals++;
    else break;
  }
  const inexact = lost != 0;
  let unit: u64 = 10;
  for (let count = 17; count; count--, unit *= 10) {
    const down = all / unit;
    const rest = all % unit;
    const half = unit >> 1;
    const up: u64 = rest > half || (rest == half && (inexact || down & 1)) ? 1 : 0;
    const zeros = 18 - count - decimals;
    if (reads(down + up, zeros, value)) digits = down + up;
    else if (reads(down + 1 - up, zeros, value)) digits = down + 1 - up;
    else return;
    exponent = zeros;
  }
}

/** big = mantissa × 2^binary × 10^decimals, rounded down. */
function expand(mantissa: u64, binary: i32, decimals: i32): void {
  set(mantissa, binary > 0 ? <usize>binary >> 5 : 0);
  if (binary > 0) shiftLeft(binary);
  scale10(decimals);
  if (binary < 0) shiftRight(-binary);
}

function reads(candidate: u64, zeros: i32, value: f64): bool {
  set(candidate, room(zeros));
  return assemble(zeros) == value;
}

/** ECMAScript, Number::toString. */
function layOut(): void {
  let count = 1;
  let unit: u64 = 1;
  while (digits / unit >= 10) {
    unit *= 10;
    count++;
  }
  /** Digits in front of the point. */
  const point = count + exponent;
  if (point > 21 || point < -5) {
    split(unit);
    byte(0x65);
    byte(point > 0 ? 0x2b : 0x2d);
    natural64(<u64>abs(point - 1));
  } else if (point <= 0) {
    byte(0x30);
    byte(0x2e);
    zeros(-point);
    natural64(digits);
  } else if (exponent >= 0) {
    natural64(digits);
    zeros(exponent);
  } else {
    unit = 1;
    for (let n = exponent; n; n++) unit *= 10;
    split(unit);
  }
}

/** The digits with a point where the unit is; none when nothing is behind it. */
function split(unit: u64): void {
  natural64(digits / unit);
  let rest = digits % unit;
  if (!rest) return;
  byte(0x2e);
  while ((unit /= 10)) {
    if (!rest) return;
    byte(0x30 + <u32>(rest / unit));
    rest %= unit;
  }
}

function zeros(count: i32): void {
  for (; count > 0; count--) byte(0x30);
}
