// One pass over a JSON text that checks all of RFC 8259 (UTF-8 included) and notes where its
// outermost fields are. Nothing is copied, decoded or allocated.
//
// Every line in the input buffer ends with LF, which no JSON token contains, so no step needs
// a bounds check: LF is simply never what was expected. Up to 15 bytes behind it are loaded
// and ignored.

import { codePointAt, codePointEnd } from "./decode";
import { number } from "./decimal";
import { entries, found, FOUND, nesting } from "./memory";

export const LF: u32 = 0x0a;
const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/** Containers inside each other, the outermost included. */
export const MAX_DEPTH: u32 = 512;

/**
 * The index: a container, then what is in it. Of an object's fields and an array's elements the
 * first thousand can be asked for.
 *
 *   entry  | its name's first character u32 | – | value's address u32 | behind it u32 |
 *
 * An array's elements have no names, and nobody looks for them.
 */
export const ENTRY: usize = 16;
/** Where the entries of the document must end; those of inner containers end as far behind. */
const HALF: usize = entries + 1023 * 16;
const FULL: usize = entries + 2047 * 16;

/** Behind the last entry that scan() has made. */
export let entriesEnd: usize = 0;

/**
 * The last document, while it is still where it was and its index with it; 0 otherwise. A sensor's
 * readings differ in their values: what stands between these is compared with it eight bytes at a
 * time instead of being read anew.
 */
let model: usize = 0;

/** The input is overwritten. */
// @ts-ignore: decorator
@inline
export function forgetModel(): void {
  model = 0;
}

/** What was expected (one of the words of text.ts, from 0), and where. */
export let wrong: i32 = 0;
export let wrongAt: usize = 0;

const VALUE = 0;
const NAME = 1;
const COLON = 2;
const COMMA_BRACE = 3;
const COMMA_BRACKET = 4;
const TEXT = 5;
const ESCAPE = 6;
const UTF8 = 7;
export const DIGIT = 8;
const DEPTH = 9;
const END = 10;

export function fail(what: i32, at: usize): usize {
  wrong = what;
  wrongAt = at;
  return 0;
}

/** Skips white space but for LF, which ends the reading. */
export function blank(p: usize): usize {
  let c: u32 = load<u8>(p);
  while (c == 0x20 || c == 0x09 || c == 0x0d) c = load<u8>(++p);
  return p;
}

/** The same where there is mostly none: saves the call. */
// @ts-ignore: decorator
@inline
function skipBlank(p: usize): usize {
  return load<u8>(p) > 0x20 ? p : blank(p);
}

/**
 * With SIMD: the first byte from p on that is a quote, a backslash, a control character or over
 * 0x7F, 16 bytes a step. As signed bytes, those over 0x7F are below 0x20 as well.
 */
// @ts-ignore: decorator
@inline
function plain(p: usize): usize {
  while (true) {
    const v = v128.load(p);
    const hits = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(v, i8x16.splat(0x22)), i8x16.eq(v, i8x16.splat(0x5c))),
        i8x16.lt_s(v, i8x16.splat(0x20)),
      ),
    );
    if (hits) return p + ctz(hits);
    p += 16;
  }
  return p;
}

/** From behind the opening quote to behind the closing one, or 0. */
// @ts-ignore: decorator
@inline
function text(p: usize): usize {
  while (true) {
    if (ASC_FEATURE_SIMD) p = plain(p);
    const c: u32 = load<u8>(p);
    if (c == QUOTE) return p + 1;
    if (c < 0x20) return fail(TEXT, p);
    if (c == BACKSLASH || c > 0x7f) {
      if (<i32>codePointAt(p) < 0) return fail(c == BACKSLASH ? ESCAPE : UTF8, p);
      p = codePointEnd;
    } else p++;
  }
}

/** The first byte from p on that is no digit, 16 bytes a step. */
// @ts-ignore: decorator
@inline
function behindDigits(p: usize): usize {
  while (true) {
    const others = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(p), i8x16.splat(0x30)), i8x16.splat(9)));
    if (others) return p + ctz(others);
    p += 16;
  }
  return p;
}

/**
 * From a digit or minus sign c to behind the number, or 0: the digits and the point of most without a call.
 * number() has the last word on all else.
 */
// @ts-ignore: decorator
@inline
function skip(p: usize, c: u32): usize {
  const start = p;
  let point: usize = 0;
  if (c - 0x31 < 9)
    while (true) {
      c = load<u8>((p = behindDigits(p + 1)));
      if (c != 0x2e || point) {
        if (p - point == 1 || (c | 0x20) == 0x65) break;
        return p;
      }
      point = p;
    }
  return number(start);
}

/** From the first letter of true, false or null to behind it, or 0. */
function literal(p: usize, c: u32): usize {
  const last4 = p + usize(c == 0x66);
  // "alse", "null", "true" in little endian
  const word = c == 0x66 ? 0x65736c61 : c == 0x6e ? 0x6c6c756e : 0x65757274;
  return load<u32>(last4) == word ? last4 + 4 : fail(VALUE, p);
}

/** Whether [q, end), which is not empty, stands at p as well. */
// @ts-ignore: decorator
@inline
function same(p: usize, q: usize, end: usize): bool {
  for (; q + 8 < end; q += 8, p += 8) if (load<u64>(p) != load<u64>(q)) return false;
  return !((load<u64>(p) ^ load<u64>(q)) << ((8 - <u64>(end - q)) << 3));
}

/**
 * Checks the value at p and makes the index of it from `top` on. Returns where its line's LF
 * is, or 0 and sets `wrong`. What is behind an inner value is always wrong; its index is right.
 */
export function scan(p: usize, top: usize): usize {
  /** Of the next value. */
  let entry = top + ENTRY;
  /** Entries from here on are written over each other. */
  const full = top == entries ? HALF : FULL;
  let depth: usize = 0;
  /** The bracket around the present place, 0 outside of all. In ASCII it is closed by its code + 2. */
  let open: u32 = 0;
  let want = VALUE;
  /** The same place in the model, 0 when this document is another. */
  let q: usize = 0;
  if (top == entries) {
    q = model;
    model = 0;
  }
  p = blank(p);
  const start = p;
  while (true) {
    if (q && depth < 2 && entry < entriesEnd) {
      // On to the next value, if all up to it is as it was.
      const value: usize = load<u32>(entry, 8);
      if (same(p, q, value)) {
        store<u32>(entry, load<u32>(entry) + <u32>(p - q));
        p += value - q;
        q = load<u32>(entry, 12);
        depth = 1;
        open = 0x7b;
        want = VALUE;
      } else q = 0;
    }
    p = skipBlank(p);
    const c: u32 = load<u8>(p);
    if (want > NAME) {
      if (c == (want == COLON ? 0x3a : 0x2c)) {
        p++;
        want = i32(want == COMMA_BRACE); // NAME, or VALUE
        continue;
      }
      if (want == COLON || c != open + 2) return fail(want, p);
      p++;
      open = load<u8>(nesting + --depth);
    } else {
      const token = p;
      if (depth < 2) store<u32>(entry, p, 8);
      if (c == QUOTE) p = text(p + 1);
      else if (want) return fail(NAME, p);
      else if ((c | 0x20) == 0x7b) {
        if (depth == MAX_DEPTH) return fail(DEPTH, p);
        p = blank(p + 1);
        if (load<u8>(p) != c + 2) {
          store<u8>(nesting + depth++, open);
          open = c;
          want = i32(c == 0x7b);
          continue;
        }
        p++;
      } else p = c - 0x30 < 10 || c == 0x2d ? (ASC_FEATURE_SIMD ? skip(p, c) : number(p)) : literal(p, c);
      if (!p) return 0;
      if (want) {
        if (depth == 1) store<u32>(entry, token + 1);
        want = COLON;
        continue;
      }
    }
    // Behind a value.
    if (!depth) {
      store<u32>(top, start, 8);
      store<u32>(top, p, 12);
      if (top == entries) {
        if (c == 0x7d) model = start;
        if (!q || entriesEnd != entry) memory.fill(found, 0, FOUND);
      }
      entriesEnd = entry;
      p = blank(p);
      return load<u8>(p) == LF ? p : fail(END, p);
    }
    if (depth < 2) {
      store<u32>(entry, p, 12);
      if (entry < full) entry += ENTRY;
    }
    want = open == 0x7b ? COMMA_BRACE : COMMA_BRACKET;
  }
}
