// Strings (UTF-16) as bytes of the output (UTF-8), without allocation. Inside the SDK a string
// travels as the address of its characters: a managed operand would bring the collector's
// shadow stack into filters that never allocate (time on every call).
import { byte, bytes, cursor, reserve, word } from "./output";
import { words } from "./words";

/** Bytes of the string at `text`; the runtime keeps them in front of it. */
// @ts-ignore: decorator
@inline
export function size(text: usize): usize {
  return load<u32>(text - 4);
}

/** For put(): as much as there is, as the inside of a JSON string. */
export const QUOTED: usize = 0xffffffff;
/** The same as it is. */
export const ALL: usize = 0xfffffffe;

/**
 * Writes a string while the cursor is below `stop`. Control characters and halves of surrogate
 * pairs, which records and UTF-8 cannot hold, become \uXXXX.
 */
export function put(text: usize, stop: usize): void {
  const end = text + size(text);
  if (ASC_FEATURE_SIMD) text = putPlain(text, end, stop);
  while (text < end && cursor() < stop) {
    reserve();
    const c = pointAt(text, end);
    text += 2 << usize(c > 0xffff);
    if (c - 0x20 < 0x5f) {
      if (stop == QUOTED && (c == 0x22 || c == 0x5c)) byte(0x5c);
      byte(c);
    } else if (c < 0xa0 || c >> 11 == 0x1b) escape(c);
    else encode(c);
  }
}

/** With SIMD: writes characters that are themselves in JSON, eight at once, as long as there are eight. Returns where it stopped. */
// @ts-ignore: decorator
@inline
function putPlain(text: usize, end: usize, stop: usize): usize {
  for (; text + 16 <= end && cursor() + 8 < stop; text += 16) {
    reserve();
    const v = v128.load(text);
    const odd = v128.or(
      v128.or(i16x8.lt_u(v, i16x8.splat(0x20)), i16x8.gt_u(v, i16x8.splat(0x7e))),
      v128.or(i16x8.eq(v, i16x8.splat(0x22)), i16x8.eq(v, i16x8.splat(0x5c))),
    );
    if (v128.any_true(odd)) break;
    word(i64x2.extract_lane(i8x16.narrow_i16x8_u(v, v), 0));
  }
  return text;
}

/** Writes a string that is JSON already; control characters, which end lines, become spaces. */
export function json(text: usize): void {
  const end = text + size(text);
  for (; text < end; text += 2) {
    reserve();
    const c = pointAt(text, end);
    if (c > 0xffff) text += 2;
    if (c < 0x80) byte(max<u32>(c, 0x20));
    else encode(c >> 11 == 0x1b ? 0xfffd : c);
  }
}

/** The code point at `text` of a string that ends at `end`; half a surrogate pair as it is. */
function pointAt(text: usize, end: usize): u32 {
  const c: u32 = load<u16>(text);
  if (c >> 10 != 0x36 || text + 2 >= end) return c;
  const low: u32 = <u32>load<u16>(text, 2) - 0xdc00;
  return low < 0x400 ? 0x10000 + ((c - 0xd800) << 10) + low : c;
}

function escape(c: u32): void {
  byte(0x5c);
  byte(0x75);
  for (let shift = 12; shift >= 0; shift -= 4) {
    const digit = (c >> shift) & 15;
    byte(digit + (digit < 10 ? 0x30 : 0x57));
  }
}

/** UTF-8 of a code point over 0x7F: 110xxxxx, 1110xxxx or 11110xxx, then 10xxxxxx each. */
function encode(c: u32): void {
  let more = 1 + i32(c > 0x7ff) + i32(c > 0xffff);
  byte((0x7f80 >> more) | (c >> (6 * more)));
  while (more--) byte(0x80 | ((c >> (6 * more)) & 0x3f));
}

/** Writes a row of words.ts. Returns where the next is. */
export function piece(p: usize): usize {
  const length: usize = load<u8>(p++);
  bytes(p, length);
  return p + length;
}

/** Writes one of the words. */
export function say(word: i32): void {
  let p = words;
  for (; word; word--) p += <usize>load<u8>(p) + 1;
  piece(p);
}
