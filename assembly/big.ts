// One natural number of up to 256 limbs of 32 bits, lowest first. Enough for everything that
// decides the last bit of a double: 800 digits × 10^±1126 need 119 limbs and some.

const limbs = memory.data(1024, 8);
let end: usize = limbs;

export function clear(): void {
  end = limbs;
}

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
export function divide(divisor: u32): u32 {
  let rest: u64 = 0;
  for (let p = end; p > limbs; ) {
    p -= 4;
    rest = (rest << 32) | load<u32>(p);
    store<u32>(p, <u32>(rest / divisor));
    rest %= divisor;
  }
  trim();
  return <u32>rest;
}

function trim(): void {
  while (end > limbs && !load<u32>(end - 4)) end -= 4;
}

/** × 10^power */
export function raise(power: i32): void {
  for (; power >= 9; power -= 9) scale(1000000000, 0);
  for (; power > 0; power--) scale(10, 0);
}

/** ÷ 10^power, rounded down; returns whether something was lost. */
export function lower(power: i32): bool {
  let lost: u32 = 0;
  for (; power >= 9; power -= 9) lost |= divide(1000000000);
  for (; power > 0; power--) lost |= divide(10);
  return lost != 0;
}

/** × 2^(32 × count) */
export function shift(count: i32): void {
  const bytes = <usize>count << 2;
  memory.copy(limbs + bytes, limbs, end - limbs);
  memory.fill(limbs, 0, bytes);
  end += bytes;
}

export function bits(): i32 {
  if (end == limbs) return 0;
  return <i32>((end - limbs) << 3) - <i32>clz(load<u32>(end - 4));
}

/** The highest 64 bits, the first of them set. The number must not be 0. */
export function top(): u64 {
  const p = end - 12;
  const free = <u64>clz(load<u32>(end - 4));
  const high = (<u64>limb(p + 8) << 32) | limb(p + 4);
  // free is below 32, so the two shifts stay in range
  return (high << free) | ((<u64>limb(p) << free) >> 32);
}

function limb(p: usize): u32 {
  return p < limbs ? 0 : load<u32>(p);
}

/** Whether a bit is set below the highest 64. */
export function below(): bool {
  const total = bits() - 64;
  if (total <= 0) return false;
  let p = limbs;
  for (let i = total >> 5; i > 0; i--, p += 4) if (load<u32>(p)) return true;
  const part = total & 31;
  return part != 0 && load<u32>(p) << (32 - part) != 0;
}
