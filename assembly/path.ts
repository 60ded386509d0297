// From a path such as "temperature", "motor.temp" or "axes[2]" to the entry of its value in the
// index. A name that itself contains dots or brackets is found as well: at every level the
// longest reading of the path comes first.
import { codePointAt, codePointEnd } from "./decode";
import { entries, found } from "./memory";
import { entriesEnd, ENTRY, scan } from "./scan";
import { size } from "./text";

const DOT: u32 = 0x2e;
const BRACKET: u32 = 0x5b;

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

/**
 * The entry of the value at `path`, 0 when there is none. "" is the document itself.
 *
 * Where a field of the document was found holds for all that have the same fields in the same
 * order (scan() knows): sixteen places, | path's address u32 | entry u32 |. Not for texts that the
 * collector may put another in the place of.
 */
export function find(path: usize): usize {
  const place = found + ((path >> 1) & 0x78);
  if (load<u32>(place) == <u32>path) return load<u32>(place, 4);
  const entry = search(path);
  if ((ASC_RUNTIME == 0 || path < __heap_base) && entry - entries < entriesEnd - entries) {
    store<u32>(place, path);
    store<u32>(place, entry, 4);
  }
  return entry;
}

function search(path: usize): usize {
  const end = path + size(path);
  if (isDefined(WASIEVE_FLAT)) return load<u8>(valueOf(entries)) == 0x7b ? named(path, end, entries + ENTRY, entriesEnd) : 0;
  const entry = within(entries, entriesEnd, path, end);
  return entry || path < end ? entry : entries;
}

/** Of the entries [first, last) the last with the name [name, end): of equal names it counts, as in JavaScript. */
function named(name: usize, end: usize, first: usize, last: usize): usize {
  while (last > first) {
    last -= ENTRY;
    if (same(load<u32>(last), name, end)) return last;
  }
  return 0;
}

/** Whether what stands from p to its quote are the characters [name, end). */
// @ts-ignore: decorator
@inline
function same(p: usize, name: usize, end: usize): bool {
  while (name < end) {
    let c: u32 = load<u8>(p++);
    if (c == 0x22) return false;
    if (c == 0x5c || c > 0x7f) {
      c = codePointAt(p - 1);
      p = codePointEnd;
      if (c > 0xffff) {
        if (<u32>load<u16>(name) != 0xd7c0 + (c >> 10)) return false;
        name += 2;
        c = 0xdc00 | (c & 0x3ff);
      }
    }
    if (<u32>load<u16>(name) != c) return false;
    name += 2;
  }
  return name == end && load<u8>(p) == 0x22;
}

/**
 * The value at [path, end) in the container of entry `top`, whose own entries follow it up to
 * `last`: the longest name that is there, then the rest of the path below it.
 */
function within(top: usize, last: usize, path: usize, end: usize): usize {
  const kind: u32 = load<u8>(valueOf(top));
  top += ENTRY;
  if (kind == BRACKET) return element(top, last, path, end);
  if (kind == 0x7b)
    for (let p = end; p >= path; p -= 2) {
      const c: u32 = p < end ? load<u16>(p) : DOT;
      if (c != DOT && c != BRACKET) continue;
      const entry = named(path, p, top, last);
      const found = entry ? below(entry, p, end) : 0;
      if (found) return found;
    }
  return 0;
}

/** `path` is "[", digits, "]", then the end or more of the path. */
function element(first: usize, last: usize, path: usize, end: usize): usize {
  if (path == end || <u32>load<u16>(path) != BRACKET) return 0;
  let index: usize = 0;
  let digit: u32;
  while ((digit = <u32>load<u16>((path += 2)) - 0x30) < 10 && index < 1000) index = index * 10 + digit;
  if (digit != 0x5d - 0x30 || load<u16>(path - 2) == BRACKET) return 0;
  const entry = first + index * ENTRY;
  return entry < last ? below(entry, path + 2, end) : 0;
}

/** The rest of a path, which may begin with a dot, below an entry: indexes that container first. */
function below(entry: usize, path: usize, end: usize): usize {
  if (path == end) return entry;
  const top = entriesEnd;
  scan(valueOf(entry), top);
  const found = within(top, entriesEnd, <u32>load<u16>(path) == DOT ? path + 2 : path, end);
  entriesEnd = top;
  return found;
}
