// From the digits of a JSON number to an i64, if it is one.
/** Whether the last integer() was one. */
export let isInteger: bool = false;

/** The number at p; 5, 5.0, 50e-1 and 0.5e1 are the same integer. */
export function integer(p: usize): i64 {
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  let value: u64 = 0;
  let exponent: i32 = 0;
  /** Zeros at the end so far: they count only when another digit follows. */
  let zeros: i32 = 0;
  let point: i32 = 0;
  isInteger = false;
  while (true) {
    const c: u32 = load<u8>(p);
    const digit = c - 0x30;
    if (c == 0x2e) point = 1;
    else if (digit > 9) {
      if ((c | 0x20) == 0x65) exponent += power10(p);
      break;
    } else {
      exponent -= point;
      if (!digit) {
        if (value) zeros++;
      } else {
        for (; zeros >= 0; zeros--) {
          if (value > U64.MAX_VALUE / 10) return 0;
          value *= 10;
        }
        zeros = 0;
        if (value + digit < value) return 0;
        value += digit;
      }
    }
    p++;
  }
  if (!value) exponent = zeros = 0;
  exponent += zeros;
  if (exponent < 0) return 0;
  for (; exponent; exponent--) {
    if (value > U64.MAX_VALUE / 10) return 0;
    value *= 10;
  }
  if (value > 0x7fffffffffffffff + <u64>negative) return 0;
  isInteger = true;
  return negative ? -value : value;
}

/** The exponent whose `e` is at p, kept within ±99,999 (more digits than a line can hold). */
function power10(p: usize): i32 {
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
