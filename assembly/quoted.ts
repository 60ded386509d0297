// Strings of the author as JSON strings in the output.
import { advance, byte, cursor, reserve } from "./output";
import { codePoint, encode, size } from "./text";

/** With quotes; what JSON cannot hold is escaped as JSON.stringify does it. */
export function quoted(text: usize): void {
  let p = text;
  const end = p + size(p);
  byte(0x22);
  while (p < end) {
    reserve();
    // One look at the room does for 1,024 characters of up to 6 bytes.
    const stop = min(end, p + 2048);
    while (p < stop) {
      const c: u32 = load<u16>(p);
      if (c < 0x20 || c == 0x22 || c == 0x5c || c >= 0x80) p = special(p, end);
      else {
        byte(c);
        p += 2;
      }
    }
  }
  byte(0x22);
}

function special(p: usize, end: usize): usize {
  const c = codePoint(p, end);
  if (c < 0x80) {
    byte(0x5c);
    if (c == 0x22 || c == 0x5c) byte(c);
    else if (c == 0x0a) byte(0x6e);
    else if (c == 0x0d) byte(0x72);
    else if (c == 0x09) byte(0x74);
    else if (c == 0x08) byte(0x62);
    else if (c == 0x0c) byte(0x66);
    else hex4(c);
  } else if ((c & 0xfffff800) == 0xd800) {
    // Half a surrogate pair has no UTF-8.
    byte(0x5c);
    hex4(c);
  } else advance(encode(cursor(), c));
  return p + (c > 0xffff ? 4 : 2);
}

function hex4(c: u32): void {
  byte(0x75);
  for (let shift = 12; shift >= 0; shift -= 4) {
    const digit = (c >> shift) & 15;
    byte(digit + (digit < 10 ? 0x30 : 0x57));
  }
}
