// From a path such as "temperature", "motor.temp" or "axes[2]" to the entry of its value in the
// index. A name that itself contains dots or brackets is found as well: at every level the
// longest reading of the path comes first.
import { codePointAt, codePointEnd } from "./decode";
import { entries, entriesEnd, ENTRY, ODD, scan } from "./scan";
import { size } from "./text";

const DOT: u32 = 0x2e;
const BRACKET: u32 = 0x5b;

/** Behind the entries of the document; those of inner containers are made behind it when asked for. */
let documentEnd: usize = 0;

/** Checks and indexes the line at p; see scan(). */
// @ts-ignore: decorator
@inline
export function scanDocument(p: usize): usize {
  const end = scan(p, entries);
  documentEnd = entriesEnd;
  return end;
}

/** Where the value of an entry begins. */
// @ts-ignore: decorator
@inline
export function valueOf(entry: usize): usize {
  return load<u32>(entry, 8);
}

/** Behind the value of an entry. */
// @ts-ignore: decorator
@inline
export function endOf(entry: usize): usize {
  return load<u32>(entry, 12);
}

/** The entry of the value at `path`, 0 when there is none. "" is the document itself. */
export function find(path: usize): usize {
  const end = path + size(path);
  const entry = named(path, end, entries + ENTRY, documentEnd);
  if (entry || path == end) return entry ? entry : entries;
  return within(entries, documentEnd, path, end);
}

/** Of the entries [first, last) the last with the name [name, end): of equal names it counts, as in JavaScript. */
function named(name: usize, end: usize, first: usize, last: usize): usize {
  const length = <u32>(end - name) >> 1;
  while (last > first) {
    last -= ENTRY;
    const mark = load<u32>(last, 4);
    if (mark == length ? same(load<u32>(last), name, end) : <i32>mark < 0 && sameOdd(load<u32>(last), name, end)) return last;
  }
  return 0;
}

/** Whether the bytes at p, all ASCII, are the characters [name, end). */
// @ts-ignore: decorator
@inline
function same(p: usize, name: usize, end: usize): bool {
  for (; name + 8 <= end; name += 8, p += 4) {
    // Four at once: 0a0b0c0d → 0a.b|0c.d → abcd; a character over 0xFF is none of them.
    const v = load<u64>(name);
    const w = v | (v >> 8);
    if (v & 0xff00ff00ff00ff00 || ((<u32>w & 0xffff) | (<u32>(w >> 32) << 16)) != load<u32>(p)) return false;
  }
  for (; name < end; name += 2) if (<u32>load<u8>(p++) != <u32>load<u16>(name)) return false;
  return true;
}

/** The same for a name up to its quote that may have escapes or bytes over 0x7F. */
function sameOdd(p: usize, name: usize, end: usize): bool {
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

/**
 * The value at [path, end) in the container of entry `top`, whose own entries follow it up to
 * `last`: the longest name that is there, then the rest of the path below it.
 */
function within(top: usize, last: usize, path: usize, end: usize): usize {
  const c: u32 = load<u8>(valueOf(top));
  if (c == BRACKET) return element(top + ENTRY, last, path, end);
  if (c != 0x7b) return 0;
  for (let p = end; p >= path; p -= 2) {
    const mark: u32 = p == end ? 0 : load<u16>(p);
    if (mark && mark != DOT && mark != BRACKET) continue;
    const entry = named(path, p, top + ENTRY, last);
    if (!entry) continue;
    const found = mark ? below(entry, p, end) : entry;
    if (found) return found;
  }
  return 0;
}

/** `path` is "[", digits, "]", then the end or more of the path. */
function element(first: usize, last: usize, path: usize, end: usize): usize {
  if (<u32>load<u16>(path) != BRACKET) return 0;
  let index: usize = 0;
  let digit: u32;
  while ((digit = <u32>load<u16>((path += 2)) - 0x30) < 10) index = min(index, 1000) * 10 + digit;
  if (digit != 0x5d - 0x30 || load<u16>(path - 2) == BRACKET) return 0;
  path += 2;
  const entry = first + index * ENTRY;
  if (entry >= last) return 0;
  return path < end ? below(entry, path, end) : entry;
}

/** The rest of a path, which may begin with a dot, below an entry: indexes that container first. */
function below(entry: usize, path: usize, end: usize): usize {
  const top = entriesEnd;
  scan(valueOf(entry), top);
  const found = within(top, entriesEnd, <u32>load<u16>(path) == DOT ? path + 2 : path, end);
  entriesEnd = top;
  return found;
}
