// What is to be said about the current reading besides its outputs: why it was dropped, or
// what is wrong with it. A reading can be faulty in several places; the first few are kept.
import { ordinal, tracked } from "./control";
import { giveBack, lend, natural, note } from "./output";
import { put } from "./text";
import { AT_BYTE, NOT_JSON, READING, REJECTED, say, SEMICOLON, TOO_LONG, WAS_EXPECTED } from "./words";
import { wrong, wrongAt } from "./scan";

/** No message is begun behind this … */
const ENOUGH: usize = note + 300;
/** … and no text of the author's goes on behind this. Ours may, a little. */
export const LIMIT: usize = note + 800;

export const DROP: u32 = 0x64;
export const REJECT: u32 = 0x72;

/** DROP, REJECT, or 0 when there is nothing to be said. */
export let noteKind: u32 = 0;
export let noteEnd: usize = note;
/** What the last message was about: a field asked for twice is not told twice. */
let about: usize = 0;

export function forgetNote(): void {
  noteKind = 0;
  noteEnd = note;
}

/** Begins a message; false when enough has been said. endMessage() must follow otherwise. */
export function beginReject(subject: usize): bool {
  if (noteKind != REJECT) noteEnd = note;
  else if (subject == about || noteEnd > ENOUGH) return false;
  noteKind = REJECT;
  about = subject;
  lend(noteEnd);
  if (noteEnd > note) say(SEMICOLON);
  else if (!tracked) {
    say(READING);
    natural(ordinal());
    say(REJECTED);
  }
  return true;
}

export function endMessage(): void {
  noteEnd = giveBack();
}

/** " at byte N" */
export function sayPosition(n: usize): void {
  say(AT_BYTE);
  natural(<u32>n);
}

/** Rejects the line at p, for what scan() found. */
export function rejectText(p: usize): void {
  if (!beginReject(0)) return;
  say(NOT_JSON);
  say(wrong);
  say(WAS_EXPECTED);
  sayPosition(wrongAt - p);
  endMessage();
}

/** Rejects a line of more than MAX_LINE bytes. */
export function rejectLong(): void {
  if (!beginReject(0)) return;
  say(TOO_LONG);
  endMessage();
}

/**
 * Rejects the current reading: it is counted as failed and kept in the gateway's quarantine.
 * What was written for it before and after goes out all the same.
 */
export function reject(reason: string): void {
  if (!beginReject(changetype<usize>(reason))) return;
  put(changetype<usize>(reason), LIMIT);
  endMessage();
}

/** Says why the current reading has no output. Ignored when it has one, or is rejected. */
export function drop(reason: string): void {
  if (noteKind) return;
  noteKind = DROP;
  lend(noteEnd);
  put(changetype<usize>(reason), LIMIT);
  endMessage();
}
