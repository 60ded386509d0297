// Settings from the environment of the module (`docker run -e LIMIT=90`), read before run().
import { decimal } from "./decimal";
import { BUFFER } from "./input";
import { integer, isInteger } from "./integer";
import { entries, input, transfer } from "./memory";
import { handler, kindOf } from "./reading";
import { LF, scan } from "./scan";
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
  return <T>whole(changetype<usize>(name), at, isSigned<T>() ? sizeof<T>() * 8 - 1 : sizeof<T>() * 8);
}

/** The value of an environment variable as a line, 0 when it is not set. */
function environment(name: usize): usize {
  // The places of the input, which has not begun.
  if (handler) fatalWord(name, NOT_RUNNING);
  environ_sizes_get(transfer, transfer + 4);
  const end = input + (<usize>load<u32>(transfer) << 2);
  if (end + load<u32>(transfer, 4) > input + BUFFER) fatalWord(name, SMALLER);
  environ_get(input, end);
  const stop = name + size(name);
  for (let p = input; p < end; p += 4) {
    let value: usize = load<u32>(p);
    let c = name;
    for (; c < stop && <u32>load<u8>(value) == <u32>load<u16>(c); c += 2) value++;
    if (c >= stop && load<u8>(value) == 0x3d) {
      for (p = value; load<u8>(p); ) p++;
      store<u8>(p, LF);
      return value + 1;
    }
  }
  return 0;
}

/** Where the line's number begins, 0 when it is no JSON number. */
function numberIn(at: usize): usize {
  if (!scan(at, entries)) return 0;
  return kindOf(entries) == A_NUMBER ? valueOf(entries) : 0;
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
