// Checked JSON strings as UTF-16.
import { following, shortEscape } from "./scan";

/** Behind the character that codePointAt() has decoded. */
export let codePointEnd: usize = 0;

/** The character or escape at p. An escaped surrogate pair comes as its two halves. */
export function codePointAt(p: usize): u32 {
  let c: u32 = load<u8>(p);
  if (c == 0x5c) {
    c = load<u8>(p, 1);
    codePointEnd = p + 2;
    return c == 0x75 ? hexAt(p + 2) : shortEscape(c);
  }
  const more = following(c);
  if (more) c &= 0x3f >> <u32>more;
  codePointEnd = p + more + 1;
  while (++p < codePointEnd) c = (c << 6) | (load<u8>(p) & 0x3f);
  return c;
}

function hexAt(p: usize): u32 {
  let c: u32 = 0;
  codePointEnd = p + 4;
  for (; p < codePointEnd; p++) {
    const h: u32 = load<u8>(p);
    // '0' … '9' are 0x30 …; 'A' and 'a' have bit 6 and end in 1
    c = (c << 4) | ((h & 15) + (h >> 6) * 9);
  }
  return c;
}
