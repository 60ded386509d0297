// Control records of docs/protocol.md, version 1, in both directions, and which reading an
// output belongs to. In plain mode nothing of this is written.
import { ascii, beginLine, byte, bytes, flush, natural } from "./output";
import { LF } from "./scan";
import { closeObject } from "./object";
import { hasNote, noteKind, noteText, noteLength, clearNote } from "./note";
import { tick, wantsTime, period } from "./time";
import { setTopic, wantsTopic } from "./topic";
import { STDERR, write } from "./wasi";

export const RS: u32 = 0x1e;

/** Longest line this module takes, LF not counted. */
export const MAX_LINE: usize = 65536;

/** Whether the hello has been heard. */
export let tracked: bool = false;
/** Whether EAGAIN means "return" (the feature `pump`) and not "try again". */
export let cooperative: bool = false;
/** The gateway has said that no more input comes. */
export let ended: bool = false;

/** Readings taken since the last consumed record. */
let taken: u32 = 0;
/** The reading being worked on, -1 outside. */
let current: i32 = -1;
/** What the last `from` record said. */
let told: i32 = -1;
/** Whether the current reading has had an output. */
let spoke: bool = false;

/** The first line: a hello or the first reading. */
export function isHello(p: usize): bool {
  return load<u16>(p) == 0x681e; // RS 'h'
}

/** RS 'h' version *( SP feature ) LF */
export function hello(p: usize, end: usize): void {
  tracked = true;
  for (p += 2; p + 5 <= end; p++) {
    if (load<u32>(p) == 0x6d757020 && load<u8>(p, 4) == 0x70 && load<u8>(p, 5) <= 0x20) cooperative = true;
  }
  beginLine();
  ascii("\x1eh1 max=65536");
  if (wantsTime) {
    ascii(" time");
    if (period) {
      ascii(" every=");
      natural(period);
    }
  }
  if (wantsTopic) ascii(" topic");
  byte(LF);
}

/** A control record from the gateway; unknown kinds are skipped. */
export function obey(p: usize, end: usize): void {
  const kind: u32 = load<u8>(p, 1);
  p += 2;
  if (kind == 0x45) ended = true;
  else if (kind == 0x74) tick(p);
  else if (kind == 0x54) setTopic(p, end);
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
  if (hasNote()) report();
  current = -1;
}

function report(): void {
  const rejected = noteKind() == 0x72;
  if (tracked) {
    // A drop after an output would be two outcomes: the output counts.
    if (rejected || !spoke) record(noteKind());
  } else if (rejected) complain();
  clearNote();
}

/** RS kind i SP text LF */
function record(kind: u32): void {
  beginLine();
  byte(RS);
  byte(kind);
  natural(current);
  byte(0x20);
  bytes(noteText(), noteLength());
  byte(LF);
}

/** Plain mode has no channel for it: one line on stderr. */
function complain(): void {
  const length = noteLength();
  store<u8>(noteText() + length, LF);
  write(STDERR, noteText(), length + 1);
}

/** An output begins: says which reading it comes from unless that is known. */
export function attribute(): void {
  closeObject();
  beginLine();
  spoke = true;
  if (tracked && told != current) {
    told = current;
    byte(RS);
    byte(0x40);
    if (current < 0) byte(0x2d);
    else natural(current);
    byte(LF);
  }
}

/** The current reading's number since the start (plain mode only), from 1. */
export function ordinal(): u32 {
  return taken;
}

/** All that was taken is done with. */
export function settle(): void {
  if (tracked && taken) {
    beginLine();
    byte(RS);
    byte(0x63);
    natural(taken);
    byte(LF);
    taken = 0;
    told = -1;
  }
  flush();
}
