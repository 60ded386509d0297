// The SDK's own texts as bytes, all in one piece: string literals would take twice the room, and
// each its own place in the module. A row of characters begins with how many they are;
// what it says stands behind it, up to the bar, and a test compares them.
//
//   texts  | escapes (16) | kinds (16) | device_id (22) | timestamp (22) | an alert's pieces (58) | words |

const texts = memory.data<u8>([
  // A backslash's letters, each with what it means.
  98, 8, 102, 12, 110, 10, 114, 13, 116, 9, 34, 34, 92, 92, 47, 47,
  // The word for a value's kind, by its first character >> 3; 0 stands for no value.
  14, 0, 0, 0, 23, 22, 22, 22, 0, 0, 0, 25, 27, 26, 27, 24,
  // The fields that every alert copies, as the language has its strings: size, UTF-16.
  18, 0, 0, 0, 100, 0, 101, 0, 118, 0, 105, 0, 99, 0, 101, 0, 95, 0, 105, 0, 100, 0,
  18, 0, 0, 0, 116, 0, 105, 0, 109, 0, 101, 0, 115, 0, 116, 0, 97, 0, 109, 0, 112, 0,
  // The pieces of an alert around its four values.
  13, 123, 34, 100, 101, 118, 105, 99, 101, 95, 105, 100, 34, 58, // {"device_id":|
  15, 44, 34, 97, 108, 101, 114, 116, 95, 116, 121, 112, 101, 34, 58, 34, // ,"alert_type":"|
  10, 34, 44, 34, 118, 97, 108, 117, 101, 34, 58, // ","value":|
  13, 44, 34, 116, 105, 109, 101, 115, 116, 97, 109, 112, 34, 58, // ,"timestamp":|
  2, 125, 10, // }\n|
  // The words. The first are what scan() may have expected, in its order.
  5, 118, 97, 108, 117, 101, // value|
  4, 110, 97, 109, 101, // name|
  5, 99, 111, 108, 111, 110, // colon|
  14, 99, 111, 109, 109, 97, 32, 111, 114, 32, 98, 114, 97, 99, 101, // comma or brace|
  16, 99, 111, 109, 109, 97, 32, 111, 114, 32, 98, 114, 97, 99, 107, 101, 116, // comma or bracket|
  13, 99, 108, 111, 115, 105, 110, 103, 32, 113, 117, 111, 116, 101, // closing quote|
  12, 118, 97, 108, 105, 100, 32, 101, 115, 99, 97, 112, 101, // valid escape|
  11, 118, 97, 108, 105, 100, 32, 85, 84, 70, 45, 56, // valid UTF-8|
  5, 100, 105, 103, 105, 116, // digit|
  18, 97, 116, 32, 109, 111, 115, 116, 32, 53, 49, 50, 32, 108, 101, 118, 101, 108, 115, // at most 512 levels|
  3, 101, 110, 100, // end|
  10, 110, 111, 116, 32, 74, 83, 79, 78, 58, 32, // not JSON: |
  9, 32, 101, 120, 112, 101, 99, 116, 101, 100, //  expected|
  9, 32, 97, 116, 32, 98, 121, 116, 101, 32, //  at byte |
  9, 58, 32, 109, 105, 115, 115, 105, 110, 103, // : missing|
  11, 58, 32, 101, 120, 112, 101, 99, 116, 101, 100, 32, // : expected |
  8, 44, 32, 102, 111, 117, 110, 100, 32, // , found |
  2, 59, 32, // ; |
  8, 114, 101, 97, 100, 105, 110, 103, 32, // reading |
  11, 32, 114, 101, 106, 101, 99, 116, 101, 100, 58, 32, //  rejected: |
  23, 108, 111, 110, 103, 101, 114, 32, 116, 104, 97, 110, 32, 54, 53, 53, 51, 54, 32, 98, 121, 116, 101, 115, // longer than 65536 bytes|
  12, 104, 49, 32, 109, 97, 120, 61, 54, 53, 53, 51, 54, // h1 max=65536|
  8, 97, 32, 110, 117, 109, 98, 101, 114, // a number|
  8, 97, 32, 115, 116, 114, 105, 110, 103, // a string|
  9, 97, 110, 32, 111, 98, 106, 101, 99, 116, // an object|
  8, 97, 110, 32, 97, 114, 114, 97, 121, // an array|
  4, 110, 117, 108, 108, // null|
  9, 97, 32, 98, 111, 111, 108, 101, 97, 110, // a boolean|
  10, 97, 110, 32, 105, 110, 116, 101, 103, 101, 114, // an integer|
  20, 112, 97, 114, 97, 109, 40, 41, 32, 98, 101, 102, 111, 114, 101, 32, 114, 117, 110, 40, 41, // param() before run()|
  25, 97, 110, 32, 101, 110, 118, 105, 114, 111, 110, 109, 101, 110, 116, 32, 111, 102, 32, 49, 50, 56, 32, 75, 105, 66, // an environment of 128 KiB|
]);
export const escapes = texts;
export const kinds = texts + 16;
export const DEVICE_ID = texts + 36;
export const TIMESTAMP = texts + 58;
export const alertPieces = texts + 76;
export const words = texts + 134;
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
