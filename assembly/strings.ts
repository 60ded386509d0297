// Strings made from the document: the only thing in a Reading that allocates.
import { codePointAt, codePointEnd } from "./decode";

/** The checked JSON string whose inside is from[…end), decoded. */
export function decodeString(from: usize, end: usize): string {
  let units: usize = 0;
  for (let p = from; p < end; p = codePointEnd) units += codePointAt(p) > 0xffff ? 2 : 1;
  const text = __new(units << 1, idof<string>());
  let to = text;
  for (let p = from; p < end; p = codePointEnd) to = unit(to, codePointAt(p));
  return changetype<string>(text);
}

/** Stores a code point as UTF-16. */
function unit(to: usize, c: u32): usize {
  if (c > 0xffff) {
    store<u16>(to, 0xd7c0 + (c >> 10));
    to += 2;
    c = 0xdc00 | (c & 0x3ff);
  }
  store<u16>(to, c);
  return to + 2;
}

/** Checked UTF-8 as it is: a backslash is a backslash. */
export function decodeText(from: usize, end: usize): string {
  return String.UTF8.decodeUnsafe(from, end - from);
}
