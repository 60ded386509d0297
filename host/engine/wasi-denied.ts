import { BADF, NOSYS, NOTCAPABLE, NOTSOCK } from "./errno.js";
import type { Call } from "./wasi.js";

/** Nothing is preopened, so no path leads anywhere. */
const PATHS = [
	"path_create_directory",
	"path_filestat_get",
	"path_filestat_set_times",
	"path_link",
	"path_open",
	"path_readlink",
	"path_remove_directory",
	"path_rename",
	"path_symlink",
	"path_unlink_file",
];

/** Only for descriptors of directories and files, of which there are none. */
const FILES = [
	"fd_advise",
	"fd_allocate",
	"fd_filestat_set_size",
	"fd_filestat_set_times",
	"fd_prestat_dir_name",
	// C's start-up asks for descriptor 3, 4, … until the answer is BADF.
	"fd_prestat_get",
	"fd_readdir",
	"fd_renumber",
];

const SOCKETS = ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"];

/** Calls that grant nothing: they answer an errno without looking at memory. */
export function denied(): Record<string, Call> {
	const calls: Record<string, Call> = Object.create(null);
	for (const name of PATHS) calls[name] = () => NOTCAPABLE;
	for (const name of FILES) calls[name] = () => BADF;
	for (const name of SOCKETS) {
		calls[name] = (fd: number) => (fd >>> 0 <= 2 ? NOTSOCK : BADF);
	}
	calls.proc_raise = () => NOSYS;
	return calls;
}
