/** What a module may be at most. */
export interface ModuleLimits {
	/** Bytes of the file; {@link MODULE_SIZE} if not given. */
	size?: number;
	/** Bytes of linear memory, declared or grown, rounded down to pages of 64 KiB; {@link MEMORY} if not given. */
	memory?: number;
	/** Elements over all tables, declared or grown; {@link TABLE_ELEMENTS} if not given. */
	table?: number;
}

export const MODULE_SIZE = 16 * 1024 * 1024;
export const MEMORY = 16 * 1024 * 1024;
export const TABLE_ELEMENTS = 10_000;

/** Bytes of a page of memory. */
export const PAGE = 65_536;

/**
 * Types, functions, exports, loops … each. A module of 5 MB can have a million, which cost 1 to 2 GB while it is
 * checked; Go's of 3.3 MB has 2,151 functions and 1,522 loops.
 */
export const PARTS = 100_000;
/**
 * Places where code is inserted: jumps back to a loop and bulk operations. A module of 14 MB can have seven million, which
 * took 4 GB and a minute; Go's of 3.3 MB has 17,950.
 */
export const CHARGES = 400_000;
/** Mutable ones are an object each in every instance; compilers need a dozen. A million are 2.6 GB. */
export const GLOBALS = 10_000;
/** Custom ones included: compilers write two dozen. */
export const SECTIONS = 1000;
/** Blocks in each other; V8 takes 1 KB for each. A `switch` has one for each case. */
export const BLOCKS = 20_000;
