// From a path such as "temperature", "motor.temp" or "axes[2]" to the address of its value in
// the document that scan() has checked. A name that itself contains dots or brackets is found
// as well: at every level the longest reading of the path comes first.
import { blank, FIELD, fields, fieldsEnd, ODD, plainRun, restAt, rootAt } from "./scan";
import { size } from "./text";

/** The address of the value at `path`, 0 when there is none. "" is the document itself. */
export function find(path: usize): usize {
  const length = <u32>(size(path) >> 1);
  const value = indexed(path, length);
  return value ? value : walk(path, length);
}

/** A field of the outermost object; of equal names the last one counts, as in JavaScript. */
function indexed(name: usize, length: u32): usize {
  if (restAt) {
    const value = among(restAt, name, length);
    if (value) return value;
  }
  for (let field = fieldsEnd; field > fields; ) {
    field -= FIELD;
    const mark = load<u32>(field, 4);
    if (mark == length) {
      if (same(load<u32>(field), name, length)) return load<u32>(field, 8);
    } else if (mark & ODD && sameOdd(load<u32>(field), name, length)) return load<u32>(field, 8);
  }
  return 0;
}

/** Whether `length` bytes at p are the characters at `name`. */
// @ts-ignore: decorator
@inline
function same(p: usize, name: usize, length: u32): bool {
  const end = p + length;
  while (p < end && <u32>load<u8>(p) == <u32>load<u16>(name)) {
    p++;
    name += 2;
  }
  return p == end;
}

/** The same for a name in the document that has escapes or bytes over 0x7F, up to its quote. */
function sameOdd(p: usize, name: usize, length: u32): bool {
  const end = name + (<usize>length << 1);
  while (load<u8>(p) != 0x22) {
    p = unit(p);
    if (name >= end || decoded != <u32>load<u16>(name)) return false;
    name += 2;
    if (decodedNext) {
      if (name >= end || decodedNext != <u32>load<u16>(name)) return false;
      name += 2;
    }
  }
  return name == end;
}

/** What unit() has decoded: one UTF-16 unit, and the second of a pair or 0. */
export let decoded: u32 = 0;
export let decodedNext: u32 = 0;

/** Decodes the character at p of a checked JSON string. Returns where the next one begins. */
export function unit(p: usize): usize {
  let c: u32 = load<u8>(p);
  decodedNext = 0;
  if (c == 0x5c) return unescape(p);
  let more: usize = 0;
  if (c >= 0x80) {
    more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    c &= 0x3f >> <u32>more;
    for (let i: usize = 1; i <= more; i++) c = (c << 6) | (load<u8>(p + i) & 0x3f);
    if (c > 0xffff) {
      c -= 0x10000;
      decodedNext = 0xdc00 | (c & 0x3ff);
      c = 0xd800 | (c >> 10);
    }
  }
  decoded = c;
  return p + more + 1;
}

function unescape(p: usize): usize {
  let c: u32 = load<u8>(p, 1);
  if (c == 0x75) {
    c = 0;
    for (let i: usize = 2; i < 6; i++) {
      const h: u32 = load<u8>(p + i);
      // '0' … '9' are 0x30 …, 'A' and 'a' end in 1 and have bit 6 set
      c = (c << 4) | ((h & 15) + (h >> 6) * 9);
    }
    decoded = c;
    return p + 6;
  }
  if (c == 0x62) c = 8;
  else if (c == 0x66) c = 12;
  else if (c == 0x6e) c = 10;
  else if (c == 0x72) c = 13;
  else if (c == 0x74) c = 9;
  decoded = c;
  return p + 2;
}

/** The last of the fields from p (a name's opening quote) on that has this name; 0 for none. */
function among(p: usize, name: usize, length: u32): usize {
  let value: usize = 0;
  while (load<u8>(p) == 0x22) {
    const hit = sameOdd(p + 1, name, length);
    p = blank(blank(skip(p)) + 1); // ':'
    if (hit) value = p;
    p = blank(skip(p));
    if (load<u8>(p) != 0x2c) break;
    p = blank(p + 1);
  }
  return value;
}

/** Behind the checked value at p. */
export function skip(p: usize): usize {
  let depth = 0;
  do {
    let c: u32 = load<u8>(p++);
    if (c == 0x22) p = closing(p) + 1;
    else if ((c | 0x20) == 0x7b) depth++;
    else if ((c | 0x20) == 0x7d) depth--;
    else if (c > 0x20 && c != 0x2c && c != 0x3a) {
      c = load<u8>(p);
      while (c > 0x20 && c != 0x2c && (c | 0x20) != 0x7d) c = load<u8>(++p);
    }
  } while (depth);
  return p;
}

/** From behind a checked string's opening quote to the closing one. */
export function closing(p: usize): usize {
  while (true) {
    p = plainRun(p);
    const c: u32 = load<u8>(p);
    if (c == 0x22) return p;
    p += c == 0x5c ? 2 : 1;
  }
}

/** The whole path was no name: tries it in parts. */
function walk(path: usize, length: u32): usize {
  return length ? descend(rootAt, path, path + (<usize>length << 1)) : rootAt;
}

function descend(value: usize, path: usize, end: usize): usize {
  const c: u32 = load<u8>(value);
  if (c == 0x5b) return <u32>load<u16>(path) == 0x5b ? element(value, path + 2, end) : 0;
  if (c != 0x7b) return 0;
  let p = end;
  while (true) {
    const mark: u32 = p == end ? 0x2e : load<u16>(p);
    if (mark == 0x2e || mark == 0x5b) {
      const next = member(value, path, <u32>((p - path) >> 1));
      if (next) {
        if (p == end) return next;
        const found = descend(next, mark == 0x2e ? p + 2 : p, end);
        if (found) return found;
      }
    }
    if (p == path) return 0;
    p -= 2;
  }
}

function member(value: usize, name: usize, length: u32): usize {
  return value == rootAt ? indexed(name, length) : among(blank(value + 1), name, length);
}

/** `path` is behind a "[": digits, "]", then the end or more of the path. */
function element(value: usize, path: usize, end: usize): usize {
  let index: u32 = 0;
  const digits = path;
  while (path < end && <u32>load<u16>(path) - 0x30 < 10) {
    index = min(index * 10 + (<u32>load<u16>(path) - 0x30), 1000000);
    path += 2;
  }
  if (path == digits || path == end || <u32>load<u16>(path) != 0x5d) return 0;
  path += 2;
  let p = blank(value + 1);
  if (load<u8>(p) == 0x5d) return 0;
  for (; index; index--) {
    p = blank(skip(p));
    if (load<u8>(p) != 0x2c) return 0;
    p = blank(p + 1);
  }
  if (path == end) return p;
  return descend(p, <u32>load<u16>(path) == 0x2e ? path + 2 : path, end);
}
