// Characters of JSON strings: one reader for checking, comparing and decoding.

import { escapes } from "./words";

/** Behind the character that codePointAt() has read. */
export let codePointEnd: usize = 0;

/**
 * The character or escape at p, -1 when it is none: RFC 3629 has no overlong forms, no
 * surrogates, nothing above U+10FFFF. An escaped surrogate pair comes as its two halves.
 */
export function codePointAt(p: usize): u32 {
  let c: u32 = load<u8>(p++);
  codePointEnd = p;
  if (c < 0x80) return c == 0x5c ? escaped(p) : c;
  // The leading ones are the length.
  const length = clz(~(c << 24));
  if (length - 2 > 2) return -1;
  codePointEnd = p + length - 1;
  c &= 0x7f >> length;
  for (; p < codePointEnd; p++) {
    const next: u32 = load<u8>(p) ^ 0x80;
    if (next > 0x3f) return -1;
    c = (c << 6) | next;
  }
  // 2, 3, 4 bytes are for what does not fit in 7, 11, 16 bits.
  if (c < (length == 2 ? 0x80 : 1 << (5 * length - 4)) || c >> 11 == 0x1b || c > 0x10ffff) return -1;
  return c;
}

/** What stands behind a backslash. */
function escaped(p: usize): u32 {
  let c: u32 = load<u8>(p++);
  if (c == 0x75) {
    for (c = 0, codePointEnd = p + 4; p < codePointEnd; p++) {
      let digit = <u32>load<u8>(p) - 0x30;
      if (digit > 9) {
        digit = (digit | 0x20) - 0x31;
        if (digit > 5) return -1;
        digit += 10;
      }
      c = (c << 4) | digit;
    }
    return c;
  }
  codePointEnd = p;
  for (let letter = escapes; letter < escapes + 16; letter += 2) if (<u32>load<u8>(letter) == c) return load<u8>(letter, 1);
  return -1;
}
