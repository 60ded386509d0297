// Control records of docs/protocol.md, version 1, in both directions, and which reading an
// output belongs to. In plain mode nothing of this is written.
import { dropped, forgetNote, noteEnd, rejected } from "./note";
import { closeObject } from "./object";
import { note } from "./memory";
import { beginLine, byte, bytes, flush, natural } from "./output";
import { LF } from "./scan";
import { ALL, put, say } from "./text";
import { HELLO } from "./words";
import { sayTime, tick } from "./time";
import { sayTopic, setTopic } from "./topic";
import { STDERR, write } from "./wasi";

export const RS: u32 = 0x1e;

/** Longest line this module takes, LF not counted; the word HELLO names it. */
export const MAX_LINE: usize = 65536;

/** Whether the hello has been heard. */
export let tracked: bool = false;
/** Whether EAGAIN means "return" (the feature `pump`) and not "try again". */
export let cooperative: bool = false;
/** The gateway has said that no more input comes. */
export let ended: bool = false;

/** No more input comes. */
// @ts-ignore: decorator
@inline
export function end(): void {
  ended = true;
}

/** Readings taken since the last consumed record. */
let taken: u32 = 0;
/** The reading being worked on, -1 outside. */
let current: i32 = -1;
/** What the last `from` record said. */
let told: i32 = -1;
/** Whether the current reading has had an output. */
let spoke: bool = false;

/** Whether the first line is still to come. */
export function opening(): bool {
  return !tracked && !taken;
}

/** RS 'h' version *( SP feature ) LF, if the first line is one. */
export function hello(p: usize): bool {
  if (load<u16>(p) != 0x681e) return false;
  tracked = true;
  // Features are words; " pump" is the only one to look for.
  for (; load<u8>(p) != LF; p++)
    if (load<u64>(p) << 24 == 0x706d757020000000 && load<u8>(p, 5) <= 0x20) cooperative = true;
  beginLine();
  byte(RS);
  say(HELLO);
  sayTime();
  sayTopic();
  byte(LF);
  return true;
}

/** A control record from the gateway; unknown kinds are skipped. */
export function obey(p: usize): void {
  const kind: u32 = load<u8>(p, 1);
  if (kind == 0x45) ended = true;
  else if (kind == 0x74) tick(p + 2);
  else if (kind == 0x54) setTopic(p + 2);
}

// @ts-ignore: decorator
@inline
export function beginReading(): void {
  current = taken++;
  spoke = false;
}

/** Writes what became of the reading besides its outputs. */
// @ts-ignore: decorator
@inline
export function endReading(): void {
  closeObject();
  if (rejected) report(0x72);
  // A drop beside an output would be two outcomes: the output counts.
  else if (dropped && !spoke) report(0x64);
  forgetNote();
  current = -1;
}

/** The current reading's number since the start (plain mode only), from 1. */
export function ordinal(): u32 {
  return taken;
}

function report(kind: u32): void {
  store<u8>(noteEnd, LF);
  const length = noteEnd + 1 - note;
  if (tracked) {
    mark(kind, current);
    byte(0x20);
    bytes(note, length);
  } else if (kind == 0x72) write(STDERR, note, length); // plain mode has no channel for it
}

/** RS kind n */
function mark(kind: u32, n: u32): void {
  beginLine();
  byte(RS);
  byte(kind);
  natural(n);
}

/** An output begins: says which reading it comes from unless that is known. */
export function attribute(): void {
  closeObject();
  spoke = true;
  if (tracked && told != current) {
    told = current;
    beginLine();
    byte(RS);
    byte(0x40);
    if (current < 0) byte(0x2d);
    else natural(current);
    byte(LF);
  } else beginLine();
}

/** RS '>' suffix LF: the output that attribute() has begun goes to this topic suffix. */
export function suffix(text: usize): void {
  if (!tracked) return;
  byte(RS);
  byte(0x3e);
  put(text, ALL);
  byte(LF);
}

/** All that was taken is done with. */
export function settle(): void {
  if (tracked && taken) {
    mark(0x63, taken);
    byte(LF);
    taken = 0;
    told = -1;
  }
  flush();
}
