// One pass over a JSON text that checks all of RFC 8259 (UTF-8 included) and notes where its
// outermost fields are. Nothing is copied, decoded or allocated.
//
// Every line in the input buffer ends with LF, which no JSON token contains, so no step needs
// a bounds check: LF is simply never what was expected. Up to 15 bytes behind it are loaded
// and ignored.

export const LF: u32 = 0x0a;
const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/** Containers inside each other, the outermost included. */
export const MAX_DEPTH: u32 = 512;
const nesting = memory.data(512);

/**
 * The index: a container, then what is in it. Of an object's fields and an array's elements the
 * first thousand can be asked for.
 *
 *   entry  | name's address u32 | name's length u32 | value's address u32 | behind it u32 |
 *
 * The length's top bit marks a name with escapes or bytes over 0x7F; an array's elements have
 * the length NAMELESS.
 */
export const ENTRY: usize = 16;
export const ODD: u32 = 0x80000000;
const NAMELESS: u32 = 0x7fffffff;
export const entries = memory.data(2048 * 16 + 32, 8);
/** Where the entries of the document must end; those of inner containers end as far behind. */
const HALF: usize = entries + 1023 * 16;
const FULL: usize = entries + 2047 * 16;

/** Behind the last entry that scan() has made. */
export let entriesEnd: usize = 0;

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
const DIGIT = 8;
const DEPTH = 9;
const END = 10;

function fail(what: i32, at: usize): usize {
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

/** The first byte from p on that is a quote, a backslash, a control character or over 0x7F. */
// @ts-ignore: decorator
@inline
function plain(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    // 16 bytes a step. As signed bytes, those over 0x7F are below 0x20 as well.
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
  } else {
    // 8 bytes a step: subtracting 1 from a zero byte (or 0x20 from a smaller one) borrows into
    // its top bit. A borrow can only run on to the left of a true hit, so the first is right.
    while (true) {
      const v = load<u64>(p);
      const q = v ^ 0x2222222222222222;
      const b = v ^ 0x5c5c5c5c5c5c5c5c;
      const hits =
        ((q - 0x0101010101010101) | (b - 0x0101010101010101) | (v - 0x2020202020202020) | v) &
        0x8080808080808080;
      if (hits) return p + (<usize>ctz(hits) >> 3);
      p += 8;
    }
  }
  return p;
}

/** From a hit of plain() to the closing quote, or 0. */
function odd(p: usize): usize {
  while (true) {
    const c: u32 = load<u8>(p);
    if (c == QUOTE) return p;
    if (c == BACKSLASH) p = escape(p);
    else if (c >= 0x80) p = utf8(p, c);
    else if (c >= 0x20) p++;
    else return fail(TEXT, p);
    if (!p) return 0;
  }
}

function escape(p: usize): usize {
  const c: u32 = load<u8>(p, 1);
  if (c != 0x75) return shortEscape(c) ? p + 2 : fail(ESCAPE, p);
  for (let i: usize = 2; i < 6; i++) {
    const h: u32 = load<u8>(p + i);
    if (h - 0x30 > 9 && (h | 0x20) - 0x61 > 5) return fail(ESCAPE, p);
  }
  return p + 6;
}

/** The character that a backslash and `c` stand for, 0 when they stand for none. */
export function shortEscape(c: u32): u32 {
  let p = changetype<usize>('""\\\\//b\bf\fn\nr\rt\t');
  for (let i = 0; i < 8; i++, p += 4) if (<u32>load<u16>(p) == c) return load<u16>(p, 2);
  return 0;
}

/** RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
function utf8(p: usize, c: u32): usize {
  const more = following(c);
  const next: u32 = load<u8>(p, 1);
  const wide = next >= 0xa0;
  if (
    c < 0xc2 || c > 0xf4 ||
    (c == 0xe0 && !wide) || (c == 0xed && wide) ||
    (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f)
  )
    return fail(UTF8, p);
  for (let i: usize = 1; i <= more; i++) if ((load<u8>(p + i) & 0xc0) != 0x80) return fail(UTF8, p);
  return p + more + 1;
}

/** Bytes behind the first one of a UTF-8 sequence. */
export function following(c: u32): usize {
  return c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
}

/** Behind the digits at p, or 0. */
// @ts-ignore: decorator
@inline
function digits(p: usize): usize {
  let c: u32 = load<u8>(p);
  if (c - 0x30 > 9) return fail(DIGIT, p);
  do c = load<u8>(++p);
  while (c - 0x30 < 10);
  return p;
}

/** From a digit or minus sign to behind the number, or 0. */
// @ts-ignore: decorator
@inline
function number(p: usize, c: u32): usize {
  if (c == 0x2d) c = load<u8>(++p);
  if (c == 0x30) p++; // and no digit behind it
  else if (!(p = digits(p))) return 0;
  c = load<u8>(p);
  if (c == 0x2e) {
    if (!(p = digits(p + 1))) return 0;
    c = load<u8>(p);
  }
  if ((c | 0x20) == 0x65) return exponent(p + 1);
  return p;
}

function exponent(p: usize): usize {
  const c: u32 = load<u8>(p);
  return digits(c == 0x2b || c == 0x2d ? p + 1 : p);
}

function literal(p: usize): usize {
  const word = load<u32>(p);
  if (word == 0x65757274 || word == 0x6c6c756e) return p + 4; // "true", "null" in little endian
  if (word == 0x736c6166 && load<u8>(p, 4) == 0x65) return p + 5; // "fals" "e"
  return fail(VALUE, p);
}

/**
 * Checks the value at p and makes the index of it from `top` on. Returns where its line's LF
 * is, or 0 and sets `wrong`. What is behind an inner value is always wrong; its index is right.
 */
export function scan(p: usize, top: usize): usize {
  let entry = top + ENTRY;
  /** Entries from here on are written over each other. */
  const full = top == entries ? HALF : FULL;
  let depth: usize = 0;
  /** The bracket around the present place, 0 outside of all. */
  let open: u32 = 0;
  let wantsName = false;
  p = skipBlank(p);
  store<u32>(top, p, 8);
  while (true) {
    // Here begins a name or a value.
    let c: u32 = load<u8>(p);
    const start = p;
    if (depth == 1 && !wantsName) {
      store<u32>(entry, p, 8);
      if (open == 0x5b) store<u32>(entry, NAMELESS, 4);
    }
    if (c == QUOTE) {
      let mark: u32 = 0;
      p = plain(p + 1);
      if (load<u8>(p) != QUOTE) {
        if (!(p = odd(p))) return 0;
        mark = ODD;
      }
      p++;
      if (wantsName) {
        if (depth == 1) {
          store<u32>(entry, start + 1);
          store<u32>(entry, <u32>(p - start - 2) | mark, 4);
        }
        p = skipBlank(p);
        if (load<u8>(p) != 0x3a) return fail(COLON, p);
        p = skipBlank(p + 1);
        wantsName = false;
        continue;
      }
    } else if (wantsName) return fail(NAME, p);
    else if ((c | 0x20) == 0x7b) {
      if (depth == MAX_DEPTH) return fail(DEPTH, p);
      store<u8>(nesting + depth++, open);
      open = c;
      p = skipBlank(p + 1);
      // In ASCII a closing bracket is its opening one + 2.
      if (load<u8>(p) != c + 2) {
        wantsName = c == 0x7b;
        continue;
      }
      p++;
      open = load<u8>(nesting + --depth);
    } else if (!(p = c - 0x30 < 10 || c == 0x2d ? number(p, c) : literal(p))) return 0;
    // Behind a value: close what ends here, then on to the next one.
    while (true) {
      if (depth == 1) {
        store<u32>(entry, p, 12);
        if (entry < full) entry += ENTRY;
      } else if (!depth) store<u32>(top, p, 12);
      p = skipBlank(p);
      c = load<u8>(p);
      if (!depth) {
        entriesEnd = entry;
        return c == LF ? p : fail(END, p);
      }
      if (c == 0x2c) {
        p = skipBlank(p + 1);
        wantsName = open == 0x7b;
        break;
      }
      if (c != open + 2) return fail(open == 0x7b ? COMMA_BRACE : COMMA_BRACKET, p);
      p++;
      open = load<u8>(nesting + --depth);
    }
  }
}
