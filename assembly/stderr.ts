// Messages for stderr, one line and one write each.
import { message } from "./memory";
import { byte, giveBack, lend, natural } from "./output";
import { put, say } from "./text";
import { EXPECTED } from "./words";
import { proc_exit, STDERR, write } from "./wasi";

/** Of a message, in bytes; the rest is cut off. */
const LIMIT: usize = message + 1900;

/** Writes a line to stderr, for a person to read; it is never an output. */
// @ts-ignore: decorator
@inline
export function log(text: string): void {
  line(changetype<usize>(text));
}

function line(text: usize): void {
  lend(message);
  put(text, LIMIT);
  sendMessage();
}

function sendMessage(): void {
  byte(0x0a);
  write(STDERR, message, giveBack() - message);
}

/** "subject: expected …", then the end: for mistakes that no reading can mend. Exit code 2. */
export function fatal(subject: usize, expected: usize): void {
  beginFatal(subject);
  put(expected, LIMIT);
  sendMessage();
  proc_exit(2);
}

/** The same with one of our words. */
export function fatalWord(subject: usize, expected: i32): void {
  beginFatal(subject);
  say(expected);
  sendMessage();
  proc_exit(2);
}

function beginFatal(subject: usize): void {
  lend(message);
  put(subject, LIMIT);
  say(EXPECTED);
}

/** In modules built for debugging, the author's statement that began last: `wasieve build` adds the calls. */
let place: usize = 0;

// @ts-ignore: decorator
@global
export function wasieve_at(text: string): void {
  place = changetype<usize>(text);
}

/**
 * What the language calls when it gives up: an index out of bounds, no memory left, a failed
 * assertion. Its own way out would be an import that no WASI runtime has (env.abort).
 */
// @ts-ignore: decorator
@global
export function wasieve_abort(text: usize, file: usize, at: u32, column: u32): void {
  if (!ASC_NO_ASSERT) explain(text, file, at, column);
  else if (text) line(text);
  unreachable();
}

/** "filter.ts:12:3: Index out of range (~lib/array.ts:114:42)" */
function explain(text: usize, file: usize, at: u32, column: u32): void {
  const inside = place != 0 && load<u16>(file) == 0x7e;
  lend(message);
  if (inside) put(place, LIMIT);
  else position(file, at, column);
  byte(0x3a);
  byte(0x20);
  put(text ? text : changetype<usize>("aborted"), LIMIT);
  if (inside) {
    byte(0x20);
    byte(0x28);
    position(file, at, column);
    byte(0x29);
  }
  sendMessage();
}

function position(file: usize, at: u32, column: u32): void {
  put(file, LIMIT);
  byte(0x3a);
  natural(at);
  byte(0x3a);
  natural(column);
}
