// What is to be said about the current reading besides its outputs: why it was dropped, or
// what is wrong with it. A reading can be faulty in several places; the first few are kept.
import { ordinal, tracked } from "./control";
import { note } from "./memory";
import { giveBack, lend, natural } from "./output";
import { put, say } from "./text";
import { AT_BYTE, NOT_JSON, READING, REJECTED, SEMICOLON, TOO_LONG, WAS_EXPECTED } from "./words";
import { wrong, wrongAt } from "./scan";

/** No message is begun behind this … */
const ENOUGH: usize = note + 300;
/** … and no text of the author's goes on behind this. Ours may, a little. */
export const LIMIT: usize = note + 800;

/** What is to be said: a filter that never drops has nothing of the code for it. */
export let rejected: bool = false;
export let dropped: bool = false;
export let noteEnd: usize = 0;
/** What the last message was about: a field asked for twice is not told twice. */
let about: usize = 0;

export function forgetNote(): void {
  rejected = false;
  dropped = false;
}

/** Begins a message; false when enough has been said. endMessage() must follow otherwise. */
export function beginReject(subject: usize): bool {
  if (!rejected) noteEnd = note;
  else if (subject == about || noteEnd > ENOUGH) return false;
  rejected = true;
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

/** Rejects the line at p: it is too long, or for what scan() found. */
export function rejectLine(p: usize, long: bool): void {
  beginReject(0);
  if (long) say(TOO_LONG);
  else {
    say(NOT_JSON);
    say(wrong);
    say(WAS_EXPECTED);
    sayPosition(wrongAt - p);
  }
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
  if (rejected || dropped) return;
  dropped = true;
  lend(note);
  put(changetype<usize>(reason), LIMIT);
  endMessage();
}
