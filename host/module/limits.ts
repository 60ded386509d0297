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
