// From a path such as "temperature", "motor.temp" or "axes[2]" to the address of its value in
// the document that scan() has checked. A name that itself contains dots or brackets is found
// as well: at every level the longest reading of the path comes first.
import { codePointAt, codePointEnd } from "./decode";
import { blank, FIELD, fields, fieldsEnd, ODD, plainRun, restAt, rootAt } from "./scan";
import { size } from "./text";

const DOT: u32 = 0x2e;
const BRACKET: u32 = 0x5b;

/** The address of the value at `path`, 0 when there is none. "" is the document itself. */
export function find(path: usize): usize {
  const length = <u32>size(path) >> 1;
  const value = indexed(path, length);
  if (value) return value;
  return length ? descend(rootAt, path, path + size(path)) : rootAt;
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
    const hit =
      mark == length ? same(load<u32>(field), name, length) : (mark & ODD) != 0 && sameOdd(load<u32>(field), name, length);
    if (hit) return load<u32>(field, 8);
  }
  return 0;
}

/** Whether `length` bytes at p, all ASCII, are the characters at `name`. */
// @ts-ignore: decorator
@inline
function same(p: usize, name: usize, length: u32): bool {
  const end = p + length;
  for (; p + 4 <= end; p += 4, name += 8) {
    // Four at once: 0a0b0c0d → 0a.b|0c.d → abcd; a character over 0xFF is none of them.
    const v = load<u64>(name);
    const w = v | (v >> 8);
    if (v & 0xff00ff00ff00ff00 || ((<u32>w & 0xffff) | (<u32>(w >> 32) << 16)) != load<u32>(p)) return false;
  }
  for (; p < end; p++, name += 2) if (<u32>load<u8>(p) != <u32>load<u16>(name)) return false;
  return true;
}

/** The same for a name up to its quote that may have escapes or bytes over 0x7F. */
function sameOdd(p: usize, name: usize, length: u32): bool {
  const end = name + (<usize>length << 1);
  while (name <= end && load<u8>(p) != 0x22) {
    let c = codePointAt(p);
    p = codePointEnd;
    if (c > 0xffff) {
      if (<u32>load<u16>(name) != 0xd7c0 + (c >> 10)) return false;
      name += 2;
      c = 0xdc00 | (c & 0x3ff);
    }
    if (<u32>load<u16>(name) != c) return false;
    name += 2;
  }
  return name == end;
}

/** The last of the fields from p (a name's opening quote) on that has this name; 0 for none. */
function among(p: usize, name: usize, length: u32): usize {
  let value: usize = 0;
  while (load<u8>(p) == 0x22) {
    const hit = sameOdd(p + 1, name, length);
    p = blank(blank(skip(p)) + 1); // behind the colon
    if (hit) value = p;
    p = next(p);
  }
  return value;
}

/** From a value to the next one (or the next name) in its container, or to the closing bracket. */
function next(p: usize): usize {
  p = blank(skip(p));
  return load<u8>(p) == 0x2c ? blank(p + 1) : p;
}

/** Behind the checked value at p. */
export function skip(p: usize): usize {
  let depth = 0;
  do {
    let c: u32 = load<u8>(p++);
    if (c == 0x22) p = closing(p) + 1;
    else if ((c | 0x20) == 0x7b) depth++;
    else if ((c | 0x20) == 0x7d) depth--;
    else if (!depth) {
      // Only what stands alone has to be measured; elsewhere byte by byte will do.
      c = load<u8>(p);
      while (c > 0x20 && c != 0x2c && (c | 0x20) != 0x7d) c = load<u8>(++p);
    }
  } while (depth);
  return p;
}

/** From behind a checked string's opening quote to the closing one. */
export function closing(p: usize): usize {
  while (load<u8>((p = plainRun(p))) != 0x22) p += load<u8>(p) == 0x5c ? 2 : 1;
  return p;
}

/** The value at path[…end) below the one at `value`: the longest name that is there, then the rest. */
function descend(value: usize, path: usize, end: usize): usize {
  const c: u32 = load<u8>(value);
  if (c == BRACKET) return element(value, path, end);
  if (c != 0x7b) return 0;
  for (let p = end; p >= path; p -= 2) {
    const mark: u32 = p == end ? 0 : load<u16>(p);
    if (mark && mark != DOT && mark != BRACKET) continue;
    const length = <u32>(p - path) >> 1;
    const field = value == rootAt ? indexed(path, length) : among(blank(value + 1), path, length);
    if (!field) continue;
    const found = mark ? descend(field, mark == DOT ? p + 2 : p, end) : field;
    if (found) return found;
  }
  return 0;
}

/** `path` is "[", digits, "]", then the end or more of the path. */
function element(value: usize, path: usize, end: usize): usize {
  if (<u32>load<u16>(path) != BRACKET) return 0;
  let index: u32 = 0;
  let digit: u32;
  while ((digit = <u32>load<u16>((path += 2)) - 0x30) < 10) index = index * 10 + digit;
  if (digit != 0x5d - 0x30) return 0;
  path += 2;
  let p = blank(value + 1);
  while (index-- && load<u8>(p) != 0x5d) p = next(p);
  if (load<u8>(p) == 0x5d) return 0;
  if (path == end) return p;
  return descend(p, <u32>load<u16>(path) == DOT ? path + 2 : path, end);
}
