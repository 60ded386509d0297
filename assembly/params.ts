// Settings from the environment of the module (`docker run -e LIMIT=90`), read before run().
import { decimal } from "./decimal";
import { borrowBuffer, BUFFER } from "./input";
import { integer, isInteger } from "./integer";
import { entries, LF, scan } from "./scan";
import { decodeText } from "./strings";
import { valueOf } from "./path";
import { fatal, fatalWord } from "./stderr";
import { size } from "./text";
import { A_NUMBER, NOT_RUNNING, SMALLER } from "./words";
import { environ_get, environ_sizes_get } from "./wasi";

/**
 * The parameter `name`, read as the type of its default: a number, an integer, true or false
 * (1, 0), a string. Anything else ends the filter with a message before it takes a reading.
 */
// @ts-ignore: decorator
@inline
export function param<T>(name: string, fallback: T): T {
  const at = environment(changetype<usize>(name));
  if (!at) return fallback;
  if (isString<T>()) return changetype<T>(text(at));
  if (isBoolean<T>()) return <T>truth(changetype<usize>(name), at);
  if (isFloat<T>()) return <T>number(changetype<usize>(name), at);
  return <T>whole(changetype<usize>(name), at, i64(<T>-1) < 0 ? sizeof<T>() * 8 - 1 : sizeof<T>() * 8);
}

/** The value of an environment variable as a line, 0 when it is not set. */
function environment(name: usize): usize {
  const sizes = borrowBuffer();
  if (!sizes) fatalWord(name, NOT_RUNNING);
  environ_sizes_get(sizes, sizes + 4);
  const end = sizes + (<usize>load<u32>(sizes) << 2);
  if (end + load<u32>(sizes, 4) > sizes + BUFFER) fatalWord(name, SMALLER);
  environ_get(sizes, end);
  for (let p = sizes; p < end; p += 4) {
    const value = settingOf(load<u32>(p), name);
    if (value) return value;
  }
  return 0;
}

/** The value of "NAME=value" NUL, its end marked by LF instead; 0 when it has another name. */
function settingOf(p: usize, name: usize): usize {
  const stop = name + size(name);
  for (; name < stop; name += 2) if (<u32>load<u8>(p++) != <u32>load<u16>(name)) return 0;
  if (load<u8>(p++) != 0x3d) return 0;
  let end = p;
  while (load<u8>(end)) end++;
  store<u8>(end, LF);
  return p;
}

/** Where the line's number begins, 0 when it is no JSON number. */
function numberIn(at: usize): usize {
  if (!scan(at, entries)) return 0;
  const p = valueOf(entries);
  return <u32>load<u8>(p) < 0x3a && <u32>load<u8>(p) != 0x22 ? p : 0;
}

function number(name: usize, at: usize): f64 {
  const p = numberIn(at);
  if (!p) fatalWord(name, A_NUMBER);
  return decimal(p);
}

function whole(name: usize, at: usize, bits: u64): i64 {
  const p = numberIn(at);
  const value = p ? integer(p) : 0;
  const low: i64 = bits & 1 ? -1 << bits : 0;
  const high: i64 = bits > 62 ? i64.MAX_VALUE : ((<i64>1) << bits) - 1;
  if (!p || !isInteger || value < low || value > high) fatal(name, changetype<usize>("an integer in range"));
  return value;
}

function truth(name: usize, at: usize): bool {
  const c: u32 = scan(at, entries) ? load<u8>(valueOf(entries)) : 0;
  if (c == 0x74 || c == 0x66) return c == 0x74;
  const p = numberIn(at);
  const value = p ? decimal(p) : NaN;
  if (value != 0 && value != 1) fatal(name, changetype<usize>("true or false"));
  return value == 1;
}

function text(at: usize): string {
  let end = at;
  while (load<u8>(end) != LF) end++;
  return decodeText(at, end);
}
