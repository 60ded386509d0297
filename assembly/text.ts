// Strings of the author (UTF-16) as bytes of a record (UTF-8), without allocation. Inside the
// SDK a string travels as the address of its characters: a managed operand would bring the
// collector's shadow stack into filters that never allocate (2 KB and 5 % of the time).

/** Bytes of the string whose characters are at `text`; the runtime keeps it in front of them. */
// @ts-ignore: decorator
@inline
export function size(text: usize): usize {
  return load<u32>(text - 4);
}

/** One code point as UTF-8. Returns where the next one goes. */
export function encode(to: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(to, c);
    return to + 1;
  }
  if (c < 0x800) {
    store<u8>(to, 0xc0 | (c >> 6));
    store<u8>(to, 0x80 | (c & 0x3f), 1);
    return to + 2;
  }
  if (c < 0x10000) {
    store<u8>(to, 0xe0 | (c >> 12));
    store<u8>(to, 0x80 | ((c >> 6) & 0x3f), 1);
    store<u8>(to, 0x80 | (c & 0x3f), 2);
    return to + 3;
  }
  store<u8>(to, 0xf0 | (c >> 18));
  store<u8>(to, 0x80 | ((c >> 12) & 0x3f), 1);
  store<u8>(to, 0x80 | ((c >> 6) & 0x3f), 2);
  store<u8>(to, 0x80 | (c & 0x3f), 3);
  return to + 4;
}

/** The code point at p, of a string that ends at `end`; half a surrogate pair stays as it is. */
export function codePoint(p: usize, end: usize): u32 {
  const c: u32 = load<u16>(p);
  if ((c & 0xfc00) == 0xd800 && p + 2 < end) {
    const low: u32 = load<u16>(p, 2);
    if ((low & 0xfc00) == 0xdc00) return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
  }
  return c;
}

/** Copies text for a record: control characters become `?`, half pairs U+FFFD; stops at `limit`. */
export function copyText(to: usize, text: usize, limit: usize): usize {
  let p = text;
  const end = p + size(p);
  while (p < end && to < limit) {
    let c = codePoint(p, end);
    p += c > 0xffff ? 4 : 2;
    if (c < 0x20 || c - 0x7f < 0x21) c = 0x3f;
    if ((c & 0xfffff800) == 0xd800) c = 0xfffd;
    to = encode(to, c);
  }
  return to;
}
