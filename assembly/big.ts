// One natural number of up to 253 limbs of 32 bits, lowest first. Enough for everything that
// decides the last bit of a double: 800 digits × 10^±1126 need some 120.

/** Three limbs in front stay 0, so that top() needs no bounds. */
const limbs = memory.data(1024, 8) + 12;
let end: usize = limbs;

/** × factor + carry */
export function scale(factor: u32, carry: u32): void {
  let rest: u64 = carry;
  for (let p = limbs; p < end; p += 4) {
    rest += <u64>load<u32>(p) * factor;
    store<u32>(p, <u32>rest);
    rest >>= 32;
  }
  if (rest) {
    store<u32>(end, <u32>rest);
    end += 4;
  }
}

/** Divides by `divisor`, rounding down; returns the remainder. */
function divide(divisor: u32): u64 {
  let rest: u64 = 0;
  for (let p = end; p > limbs; ) {
    p -= 4;
    rest = (rest << 32) | load<u32>(p);
    store<u32>(p, <u32>(rest / divisor));
    rest %= divisor;
  }
  trim();
  return rest;
}

function trim(): void {
  while (end > limbs && !load<u32>(end - 4)) end -= 4;
}

/** × 10^power, rounded down; returns whether something was lost. */
export function scale10(power: i32): bool {
  let lost: u64 = 0;
  while (power) {
    // nine digits at a time, while there are nine
    const nine = power > 8 || power < -8;
    const factor = nine ? 1000000000 : 10;
    const step = nine ? 9 : 1;
    if (power > 0) {
      scale(factor, 0);
      power -= step;
    } else {
      lost |= divide(factor);
      power += step;
    }
  }
  return lost != 0;
}

/** × 2^(32 × count) */
export function shift(count: usize): void {
  const bytes = count << 2;
  memory.copy(limbs + bytes, limbs, end - limbs);
  memory.fill(limbs, 0, bytes);
  end += bytes;
}

export function bits(): i32 {
  return <i32>((end - limbs) << 3) - <i32>clz(load<u32>(end - 4));
}

/** Whether a bit was set below those of the last top(). */
export let below: bool = false;

/** The highest 64 bits, the first of them set. The number must not be 0. */
export function top(): u64 {
  const p = end - 12;
  const free = <u64>clz(load<u32>(p, 8));
  const high = (<u64>load<u32>(p, 8) << 32) | load<u32>(p, 4);
  const low = <u64>load<u32>(p) << free;
  below = <u32>low != 0;
  for (let q = limbs; q < p; q += 4) if (load<u32>(q)) below = true;
  return (high << free) | (low >> 32);
}

/** big = n */
export function set(n: u64): void {
  store<u64>(limbs, n);
  end = limbs + 8;
  trim();
}

/** big, when it fits */
export function small(): u64 {
  store<u64>(end, 0);
  return load<u64>(limbs);
}

/** × 2^count */
export function shiftLeft(count: i32): void {
  shift(<usize>count >> 5);
  scale((<u32>1) << (count & 31), 0);
}

/** ÷ 2^count, rounded down; returns whether something was lost. */
export function shiftRight(count: i32): bool {
  let lost: u64 = 0;
  for (; count > 31; count -= 31) lost |= divide(0x80000000);
  return (lost | divide((<u32>1) << count)) != 0;
}
