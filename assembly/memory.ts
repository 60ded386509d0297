// Where the SDK's fixed places are. The small ones come first: an address below 8,192 takes a
// byte less wherever the module names it. What every reading touches lies close together, and
// what few readings touch lies elsewhere: memory comes from the system in pages of 4 KiB when they
// are first touched, and a filter that reads a little at a time touches four.
//
//   page 0  | (unused) | words | transfer | nesting | found | note | entries … |
//           | … limbs | message | output … | … input … | … the filter's strings, its heap |

/** One iovec, then the number of bytes done: | pointer u32 | length u32 | done u32 |. */
export const transfer = memory.data(12, 4);
/** The brackets around the present place; see scan.ts. */
export const nesting = memory.data(512);
/** Bytes of `found`. */
export const FOUND: usize = 128;
/** Where fields were found in documents like this one; see path.ts. */
export const found = memory.data(128, 8);
/** What is to be said about the current reading; see note.ts. */
export const note = memory.data(1024, 16);
/** The index of a document; see scan.ts. */
export const entries = memory.data(2048 * 16 + 32, 8);
/** A natural number; see big.ts. */
export const limbs = memory.data(1024, 8);
/** A line for stderr. */
export const message = memory.data(2048, 16);
/** Lines for stdout; see output.ts. */
export const output = memory.data(16384 + 65536 + 1024, 16);
const PAGE: usize = 4096;
/** What stdin brings; see input.ts. From the start of a page, so that a few readings touch only one. */
export const input = (memory.data(<i32>PAGE - 16 + 131072 + 64, 16) + PAGE - 1) & ~(PAGE - 1);
