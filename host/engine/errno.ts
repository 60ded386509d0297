/**
 * The errno values of WASI preview 1 that we answer with
 * (github.com/WebAssembly/WASI, tag snapshot-01, typenames.witx, $errno).
 */
export const OK = 0;
export const AGAIN = 6;
export const BADF = 8;
export const FAULT = 21;
export const INVAL = 28;
export const NOSYS = 52;
export const NOTSOCK = 57;
export const NOTSUP = 58;
export const SPIPE = 70;
export const NOTCAPABLE = 76;
