// Why a line is no reading.
import { add, append, addNatural, beginReject } from "./note";
import {
  BEHIND, COLON, COMMA_BRACE, COMMA_BRACKET, DEEP, ESCAPE, NAME, NUMBER, TEXT, UTF8, VALUE, wrong, wrongAt,
} from "./scan";
import { MAX_LINE } from "./control";

function reason(): usize {
  if (wrong == VALUE) return changetype<usize>("value expected");
  if (wrong == NAME) return changetype<usize>("name expected");
  if (wrong == COLON) return changetype<usize>("':' expected");
  if (wrong == COMMA_BRACE) return changetype<usize>("',' or '}' expected");
  if (wrong == COMMA_BRACKET) return changetype<usize>("',' or ']' expected");
  if (wrong == TEXT) return changetype<usize>("string not closed");
  if (wrong == ESCAPE) return changetype<usize>("bad escape");
  if (wrong == UTF8) return changetype<usize>("bad UTF-8");
  if (wrong == NUMBER) return changetype<usize>("digit expected");
  if (wrong == DEEP) return changetype<usize>("too deep");
  return changetype<usize>("end expected");
}

/** Rejects the line at p, for what scan() found. */
export function refuse(p: usize): void {
  beginReject(1);
  add("not JSON: ");
  append(reason());
  add(" at byte ");
  addNatural(<u32>(wrongAt - p));
}

/** Rejects a line of more than MAX_LINE bytes. */
export function refuseLong(): void {
  beginReject(1);
  add("longer than 65536 bytes");
}
