/**
 * WASI preview 1, all of it, and the only list of it: what a module may import and what it
 * gets. Signatures as in wasi_snapshot_preview1.witx: i = i32, I = i64; each function
 * returns an errno (i32) but proc_exit, which does not return.
 *
 * served: does what it says, within stdin, stdout, stderr and the gateway's time.
 * denied: is answered with an errno and grants nothing. The runtimes of Rust and Go import
 * such functions without needing them, so refusing them would refuse every such program.
 */
export const PREVIEW1 = "wasi_snapshot_preview1";

export type ImportStatus = "served" | "denied" | "refused";

const SERVED: Record<string, string> = {
	args_get: "ii",
	args_sizes_get: "ii",
	clock_res_get: "ii",
	clock_time_get: "iIi",
	environ_get: "ii",
	environ_sizes_get: "ii",
	fd_close: "i",
	fd_fdstat_get: "ii",
	fd_fdstat_set_flags: "ii",
	fd_filestat_get: "ii",
	fd_prestat_dir_name: "iii",
	fd_prestat_get: "ii",
	fd_read: "iiii",
	fd_seek: "iIii",
	fd_write: "iiii",
	poll_oneoff: "iiii",
	proc_exit: "i",
	random_get: "ii",
	sched_yield: "",
};

const DENIED: Record<string, string> = {
	fd_advise: "iIIi",
	fd_allocate: "iII",
	fd_datasync: "i",
	fd_fdstat_set_rights: "iII",
	fd_filestat_set_size: "iI",
	fd_filestat_set_times: "iIIi",
	fd_pread: "iiiIi",
	fd_pwrite: "iiiIi",
	fd_readdir: "iiiIi",
	fd_renumber: "ii",
	fd_sync: "i",
	fd_tell: "ii",
	path_create_directory: "iii",
	path_filestat_get: "iiiii",
	path_filestat_set_times: "iiiiIIi",
	path_link: "iiiiiii",
	path_open: "iiiiiIIii",
	path_readlink: "iiiiii",
	path_remove_directory: "iii",
	path_rename: "iiiiii",
	path_symlink: "iiiii",
	path_unlink_file: "iii",
	proc_raise: "i",
	sock_accept: "iii",
	sock_recv: "iiiiii",
	sock_send: "iiiii",
	sock_shutdown: "ii",
};

export interface WasiFunction {
	status: "served" | "denied";
	/** "iIi:i": parameters, colon, results. */
	signature: string;
}

/** A map, not an object: `constructor` and `__proto__` are no names of WASI functions. */
export const WASI: ReadonlyMap<string, WasiFunction> = new Map([
	...entries(SERVED, "served"),
	...entries(DENIED, "denied"),
]);

function entries(
	table: Record<string, string>,
	status: "served" | "denied",
): [string, WasiFunction][] {
	return Object.entries(table).map(([name, parameters]) => [
		name,
		{
			status,
			signature: `${parameters}:${name === "proc_exit" ? "" : "i"}`,
		},
	]);
}

/**
 * Why an import is refused, or undefined when it is not.
 *
 * @param kind "function", "table", "memory", "global" or "tag"
 * @param signature as in {@link WasiFunction}; undefined when it is no function's
 */
export function objection(
	module: string,
	name: string,
	kind: string,
	signature: string | undefined,
): string | undefined {
	const what = `${quoted(module)} ${quoted(name)}`;
	if (kind !== "function") {
		return `${what} is a ${kind}; only functions may be imported`;
	}
	if (module !== PREVIEW1) {
		return module === "wasi_unstable"
			? `${what}: wasi_unstable is the forerunner of ${PREVIEW1}`
			: `${what} is not part of ${PREVIEW1}`;
	}
	const known = WASI.get(name);
	if (known === undefined) return `${what} is no function of WASI preview 1`;
	if (known.signature !== signature) {
		return `${what} has the type (${signature ?? "?"}), not (${known.signature})`;
	}
	return undefined;
}

/** Longest part of a name that is told, characters. */
const NAME_MAX = 80;

/** A name may be a megabyte long and hold line ends. */
function quoted(name: string): string {
	const cut = name.length > NAME_MAX ? `${name.slice(0, NAME_MAX)}…` : name;
	return JSON.stringify(cut);
}
