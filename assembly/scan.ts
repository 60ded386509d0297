// One pass over a JSON text that checks all of RFC 8259 (UTF-8 included) and notes where the
// fields of the outermost object are. Nothing is copied, decoded or allocated.
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

/** Fields of the outermost object that are indexed; the rest is found by walking. */
const MAX_FIELDS: usize = 64;
/**
 * A field: | name's address u32 | name's length u32 | value's address u32 |. The length's top
 * bit marks a name with escapes or bytes over 0x7F.
 */
export const FIELD: usize = 12;
export const ODD: u32 = 0x80000000;
export const fields = memory.data(64 * 12, 4);

/** Behind the last indexed field. */
export let fieldsEnd: usize = fields;
/** Where fields begin that the index had no room for, or 0. */
export let restAt: usize = 0;
/** The document's value. */
export let rootAt: usize = 0;

// What was wrong, and where.
export let wrong: i32 = 0;
export let wrongAt: usize = 0;

export const VALUE = 0;
export const NAME = 1;
export const COLON = 2;
export const COMMA_BRACE = 3;
export const COMMA_BRACKET = 4;
export const TEXT = 5;
export const ESCAPE = 6;
export const UTF8 = 7;
export const NUMBER = 8;
export const DEEP = 9;
export const BEHIND = 10;

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

/** plain() for where its speed does not matter. */
export function plainRun(p: usize): usize {
  return plain(p);
}

/** From a hit of plain() to the closing quote, or 0. */
function odd(p: usize): usize {
  while (true) {
    const c: u32 = load<u8>(p);
    if (c == QUOTE) return p;
    if (c == BACKSLASH) p = escape(p);
    else if (c >= 0x80) p = utf8(p, c);
    else return fail(TEXT, p);
    if (!p) return 0;
    p = plainRun(p);
  }
}

function escape(p: usize): usize {
  const c: u32 = load<u8>(p, 1);
  if (c == 0x75) {
    for (let i: usize = 2; i < 6; i++) {
      const h: u32 = load<u8>(p + i);
      if (h - 0x30 > 9 && (h | 0x20) - 0x61 > 5) return fail(ESCAPE, p);
    }
    return p + 6;
  }
  // " \ / b f n r t
  if (c == QUOTE || c == BACKSLASH || c == 0x2f || c == 0x62 || c == 0x66 || c == 0x6e || c == 0x72 || c == 0x74)
    return p + 2;
  return fail(ESCAPE, p);
}

/** RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
function utf8(p: usize, c: u32): usize {
  const next: u32 = load<u8>(p, 1);
  let low: u32 = 0x80;
  let high: u32 = 0xbf;
  let more: usize = 1;
  if (c >= 0xe0) {
    more = 2;
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c >= 0xf0) {
      more = 3;
      if (c == 0xf0) low = 0x90;
      if (c == 0xf4) high = 0x8f;
    }
  }
  if (c < 0xc2 || c > 0xf4 || next < low || next > high) return fail(UTF8, p);
  for (let i: usize = 2; i <= more; i++) {
    if ((load<u8>(p + i) & 0xc0) != 0x80) return fail(UTF8, p);
  }
  return p + more + 1;
}

/** From behind the opening quote to the closing one, or 0. */
function text(p: usize): usize {
  p = plainRun(p);
  return load<u8>(p) == QUOTE ? p : odd(p);
}

/** From a digit or minus sign to behind the number, or 0. */
// @ts-ignore: decorator
@inline
function number(p: usize, c: u32): usize {
  if (c == 0x2d) c = load<u8>(++p);
  if (c == 0x30) c = load<u8>(++p);
  else if (c - 0x31 > 8) return fail(NUMBER, p);
  else {
    do c = load<u8>(++p);
    while (c - 0x30 < 10);
  }
  if (c == 0x2e) {
    c = load<u8>(++p);
    if (c - 0x30 > 9) return fail(NUMBER, p);
    do c = load<u8>(++p);
    while (c - 0x30 < 10);
  }
  if ((c | 0x20) == 0x65) return exponent(p);
  return p;
}

function exponent(p: usize): usize {
  let c: u32 = load<u8>(++p);
  if (c == 0x2b || c == 0x2d) c = load<u8>(++p);
  if (c - 0x30 > 9) return fail(NUMBER, p);
  do c = load<u8>(++p);
  while (c - 0x30 < 10);
  return p;
}

function literal(p: usize): usize {
  const word = load<u32>(p);
  if (word == 0x65757274 || word == 0x6c6c756e) return p + 4; // "true", "null" in little endian
  if (word == 0x736c6166 && load<u8>(p, 4) == 0x65) return p + 5; // "fals" "e"
  return fail(VALUE, p);
}

function numberRun(p: usize, c: u32): usize {
  return number(p, c);
}

function scalar(p: usize, c: u32): usize {
  if (c == QUOTE) {
    p = text(p + 1);
    return p ? p + 1 : 0;
  }
  if (c == 0x2d || c - 0x30 < 10) return numberRun(p, c);
  return literal(p);
}

/** From a name's opening quote to its value, or 0. */
function name(p: usize): usize {
  if (load<u8>(p) != QUOTE) return fail(NAME, p);
  p = text(p + 1);
  if (!p) return 0;
  p = blank(p + 1);
  return load<u8>(p) == 0x3a ? blank(p + 1) : fail(COLON, p);
}

/** Any value that is not a field of the outermost object; `depth` containers are around it. */
function value(p: usize, depth: u32): usize {
  const floor = depth;
  while (true) {
    const c: u32 = load<u8>(p);
    if ((c | 0x20) == 0x7b) {
      if (depth == MAX_DEPTH) return fail(DEEP, p);
      store<u8>(nesting + depth++, c);
      p = blank(p + 1);
      // In ASCII a closing bracket is its opening one + 2.
      if (load<u8>(p) != c + 2) {
        if (c == 0x7b) {
          p = name(p);
          if (!p) return 0;
        }
        continue;
      }
      depth--;
      p++;
    } else {
      p = scalar(p, c);
      if (!p) return 0;
    }
    // Behind a value: close what ends here, then on to the next one.
    while (true) {
      if (depth == floor) return p;
      p = blank(p);
      const open: u32 = load<u8>(nesting + depth - 1);
      const c: u32 = load<u8>(p);
      if (c == 0x2c) {
        p = blank(p + 1);
        if (open == 0x7b) {
          p = name(p);
          if (!p) return 0;
        }
        break;
      }
      if (c != open + 2) return fail(open == 0x7b ? COMMA_BRACE : COMMA_BRACKET, p);
      p++;
      depth--;
    }
  }
}

/** The outermost object's fields, from behind its brace to behind the closing one, or 0. */
function object(p: usize): usize {
  let field = fields;
  restAt = 0;
  p = skipBlank(p);
  if (load<u8>(p) == 0x7d) {
    fieldsEnd = field;
    return p + 1;
  }
  while (true) {
    if (load<u8>(p) != QUOTE) return fail(NAME, p);
    const nameAt = p + 1;
    let mark: u32 = 0;
    p = plain(nameAt);
    if (load<u8>(p) != QUOTE) {
      p = odd(p);
      if (!p) return 0;
      mark = ODD;
    }
    mark |= <u32>(p - nameAt);
    p++;
    if (load<u8>(p) != 0x3a) {
      p = skipBlank(p);
      if (load<u8>(p) != 0x3a) return fail(COLON, p);
    }
    p = skipBlank(p + 1);
    const valueAt = p;
    const c: u32 = load<u8>(p);
    if (c == QUOTE) {
      p = plain(p + 1);
      if (load<u8>(p) != QUOTE) {
        p = odd(p);
        if (!p) return 0;
      }
      p++;
    } else if (c - 0x30 < 10 || c == 0x2d) {
      p = number(p, c);
      if (!p) return 0;
    } else {
      p = value(p, 1);
      if (!p) return 0;
    }
    if (field < fields + MAX_FIELDS * FIELD) {
      store<u32>(field, nameAt);
      store<u32>(field, mark, 4);
      store<u32>(field, valueAt, 8);
      field += FIELD;
    } else if (!restAt) restAt = nameAt - 1;
    p = skipBlank(p);
    const next: u32 = load<u8>(p);
    p++;
    if (next == 0x2c) {
      p = skipBlank(p);
      continue;
    }
    if (next != 0x7d) return fail(COMMA_BRACE, p - 1);
    fieldsEnd = field;
    return p;
  }
}

/** Checks the line at p and indexes it. Returns where its LF is, or 0 and sets `wrong`. */
export function scan(p: usize): usize {
  p = blank(p);
  rootAt = p;
  if (load<u8>(p) == 0x7b) p = object(p + 1);
  else {
    fieldsEnd = fields;
    restAt = 0;
    p = value(p, 0);
  }
  if (!p) return 0;
  p = blank(p);
  return load<u8>(p) == LF ? p : fail(BEHIND, p);
}
