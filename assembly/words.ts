// The SDK's own words as ASCII bytes: a string literal would take twice the room, and 28 bytes
// more each. The text behind every row, up to the bar, is what the row says; a test compares them.
import { piece } from "./text";

/** The first are what scan() may have expected, in its order. */
const words = memory.data<u8>([
  118, 97, 108, 117, 101, 0, // value|
  110, 97, 109, 101, 0, // name|
  99, 111, 108, 111, 110, 0, // colon|
  99, 111, 109, 109, 97, 32, 111, 114, 32, 98, 114, 97, 99, 101, 0, // comma or brace|
  99, 111, 109, 109, 97, 32, 111, 114, 32, 98, 114, 97, 99, 107, 101, 116, 0, // comma or bracket|
  99, 108, 111, 115, 105, 110, 103, 32, 113, 117, 111, 116, 101, 0, // closing quote|
  118, 97, 108, 105, 100, 32, 101, 115, 99, 97, 112, 101, 0, // valid escape|
  118, 97, 108, 105, 100, 32, 85, 84, 70, 45, 56, 0, // valid UTF-8|
  100, 105, 103, 105, 116, 0, // digit|
  97, 116, 32, 109, 111, 115, 116, 32, 53, 49, 50, 32, 108, 101, 118, 101, 108, 115, 0, // at most 512 levels|
  101, 110, 100, 0, // end|
  110, 111, 116, 32, 74, 83, 79, 78, 58, 32, 0, // not JSON: |
  32, 101, 120, 112, 101, 99, 116, 101, 100, 0, //  expected|
  32, 97, 116, 32, 98, 121, 116, 101, 32, 0, //  at byte |
  58, 32, 109, 105, 115, 115, 105, 110, 103, 0, // : missing|
  58, 32, 101, 120, 112, 101, 99, 116, 101, 100, 32, 0, // : expected |
  44, 32, 102, 111, 117, 110, 100, 32, 0, // , found |
  59, 32, 0, // ; |
  114, 101, 97, 100, 105, 110, 103, 32, 0, // reading |
  32, 114, 101, 106, 101, 99, 116, 101, 100, 58, 32, 0, //  rejected: |
  108, 111, 110, 103, 101, 114, 32, 116, 104, 97, 110, 32, 54, 53, 53, 51, 54, 32, 98, 121, 116, 101, 115, 0, // longer than 65536 bytes|
  104, 49, 32, 109, 97, 120, 61, 54, 53, 53, 51, 54, 0, // h1 max=65536|
  97, 32, 110, 117, 109, 98, 101, 114, 0, // a number|
  97, 32, 115, 116, 114, 105, 110, 103, 0, // a string|
  97, 110, 32, 111, 98, 106, 101, 99, 116, 0, // an object|
  97, 110, 32, 97, 114, 114, 97, 121, 0, // an array|
  110, 117, 108, 108, 0, // null|
  97, 32, 98, 111, 111, 108, 101, 97, 110, 0, // a boolean|
  97, 110, 32, 105, 110, 116, 101, 103, 101, 114, 0, // an integer|
  112, 97, 114, 97, 109, 40, 41, 32, 98, 101, 102, 111, 114, 101, 32, 114, 117, 110, 40, 41, 0, // param() before run()|
  97, 110, 32, 101, 110, 118, 105, 114, 111, 110, 109, 101, 110, 116, 32, 111, 102, 32, 49, 50, 56, 32, 75, 105, 66, 0, // an environment of 128 KiB|
]);
export const NOT_JSON = 11;
export const WAS_EXPECTED = 12;
export const AT_BYTE = 13;
export const MISSING = 14;
export const EXPECTED = 15;
export const FOUND = 16;
export const SEMICOLON = 17;
export const READING = 18;
export const REJECTED = 19;
export const TOO_LONG = 20;
export const HELLO = 21;
export const A_NUMBER = 22;
export const A_STRING = 23;
export const AN_OBJECT = 24;
export const AN_ARRAY = 25;
export const NULL = 26;
export const A_BOOLEAN = 27;
export const AN_INTEGER = 28;
export const NOT_RUNNING = 29;
export const SMALLER = 30;

/** Writes one of the words. */
export function say(word: i32): void {
  let p = words;
  for (; word; p++) if (!load<u8>(p)) word--;
  piece(p);
}

/** The pieces of an alert around its four values. */
export const alertPieces = memory.data<u8>([
  123, 34, 100, 101, 118, 105, 99, 101, 95, 105, 100, 34, 58, 0, // {"device_id":|
  44, 34, 97, 108, 101, 114, 116, 95, 116, 121, 112, 101, 34, 58, 34, 0, // ,"alert_type":"|
  34, 44, 34, 118, 97, 108, 117, 101, 34, 58, 0, // ","value":|
  44, 34, 116, 105, 109, 101, 115, 116, 97, 109, 112, 34, 58, 0, // ,"timestamp":|
  125, 10, 0, // }\n|
]);
