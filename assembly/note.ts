// What is to be said about the current reading besides its outputs: why it was dropped, or
// what is wrong with it. A reading can be faulty in several places; the first few are kept.
import { ordinal, tracked } from "./control";
import { copyText } from "./text";

/** Of all messages together, in UTF-8. */
const LIMIT: usize = 400;
const MESSAGES: usize = 3;
/** The text, room for what is appended to reach the limit, and the LF of plain mode. */
const buffer = memory.data(400 + 64, 8);
let length: usize = 0;
let kind: u32 = 0;
let messages: usize = 0;
/** Addresses of the strings that name what the messages are about. */
const subjects = memory.data(12, 4);

const DROP: u32 = 0x64;
const REJECT: u32 = 0x72;

// @ts-ignore: decorator
@inline
export function hasNote(): bool {
  return kind != 0;
}

export function noteKind(): u32 {
  return kind;
}
export function noteText(): usize {
  return buffer;
}
export function noteLength(): usize {
  return length;
}

export function clearNote(): void {
  kind = 0;
  length = 0;
  messages = 0;
}

/** Begins a message about `subject`. False when that, or enough, has been said. */
export function beginReject(subject: usize): bool {
  if (kind == DROP) clearNote();
  kind = REJECT;
  for (let i: usize = 0; i < messages; i++) if (load<usize>(subjects + (i << 2)) == subject) return false;
  if (messages == MESSAGES) return false;
  store<usize>(subjects + (messages++ << 2), subject);
  if (length) add("; ");
  else if (!tracked) {
    add("reading ");
    addNatural(ordinal());
    add(" rejected: ");
  }
  return true;
}

export function beginDrop(): bool {
  if (kind) return false;
  kind = DROP;
  return true;
}

// @ts-ignore: decorator
@inline
export function add(literal: string): void {
  append(changetype<usize>(literal));
}

export function append(text: usize): void {
  length = copyText(buffer + length, text, buffer + LIMIT) - buffer;
}

export function addNatural(n: u32): void {
  let unit: u32 = 1;
  while (n / unit >= 10) unit *= 10;
  for (; unit; unit /= 10) store<u8>(buffer + length++, 0x30 + ((n / unit) % 10));
}
