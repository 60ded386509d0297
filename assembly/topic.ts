// The topic of the readings, for filters that ask.
import { decodeText } from "./strings";
import { characters } from "./output";
import { LF } from "./scan";

let wanted: bool = false;

function want(): bool {
  wanted = true;
  return true;
}

/** See time.ts: calling topic() anywhere asks for topics. */
// @ts-ignore: decorator
@lazy
let asked: bool = want();

/** The longest topic of MQTT. Its own place, because the record's is read over. */
// @ts-ignore: decorator
@lazy
const buffer = memory.data(65536, 8);
let length: usize = 0;

/** The topic of the current reading, "" when unknown (plain mode). Allocates. */
export function topic(): string {
  return asked ? decodeText(buffer, buffer + length) : "";
}

/** The hello's feature " topic". */
export function sayTopic(): void {
  if (wanted) characters(0x6369706f7420);
}

/** A topic record's text is at p, up to its LF. */
export function setTopic(p: usize): void {
  if (!wanted) return;
  for (length = 0; load<u8>(p) != LF && length < 65536; length++) {
    let c: u32 = load<u8>(p++);
    if (c == 0x25) {
      c = (hex(load<u8>(p)) << 4) | hex(load<u8>(p, 1));
      p += 2;
    }
    store<u8>(buffer + length, c);
  }
}

function hex(c: u32): u32 {
  return (c & 15) + (c >> 6) * 9;
}
