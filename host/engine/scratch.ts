import {
	existsSync,
	lstatSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
} from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Folders for what goes when its process goes. The name says whose it is, so that what a kill -9 leaves behind can be told
 * from what is in use:
 *
 *     wasieve-1f0c99e2-4026531836-1234-5678901-Xa3b9Q
 *             │        │          │    └ ticks from the machine's start to the process's
 *             │        │          └ its number
 *             │        └ the namespace that the number is of: two containers may share a folder
 *             └ the machine's start: two machines may, and the first namespace of each has the same number
 */
const OWNED = /^wasieve-([\da-f]{8}-\d+)-(\d+)-(\d+)-\w{6}$/;

/** What its owner had made outside of the folder: an image that an engine keeps. */
const IMAGE = "image.json";

export interface KeptImage {
	/** The engine's name, as a config has it. */
	engine: string;
	image: string;
}

/** A new folder in `parent`, this process's own. Where a system has no /proc its name says nothing. */
export function makeScratch(parent: string): Promise<string> {
	const owner = SELF ? `${SELF.world}-${SELF.pid}-${SELF.start}-` : "";
	return mkdtemp(join(parent, `wasieve-${owner}`));
}

/** Notes in a folder of makeScratch() what is to be removed with it. */
export function noteImage(folder: string, kept: KeptImage): Promise<void> {
	return writeFile(join(folder, IMAGE), JSON.stringify(kept));
}

/** Somebody's folder whose process is gone. */
export interface Leftover {
	path: string;
	/** Whether it is this user's. */
	own: boolean;
	image: KeptImage | undefined;
}

/** What is left in `parent` of processes that are provably gone. Never throws. */
export function leftoversIn(parent: string): Leftover[] {
	return namesIn(parent).flatMap((name) => {
		const path = join(parent, name);
		const found = isLeft(name) ? lstatSync(path, QUIET) : undefined;
		if (!found?.isDirectory()) return [];
		const own = found.uid === SELF?.user;
		return [{ path, own, image: own ? imageOf(path) : undefined }];
	});
}

/**
 * Removes what is left in `parent` of this user's processes. `forget` removes an image and says whether it is gone; without
 * that the folder stays, for who can.
 */
export async function clearLeftovers(
	parent: string,
	forget: (kept: KeptImage) => Promise<boolean> = async () => false,
): Promise<void> {
	for (const { path, own, image } of leftoversIn(parent)) {
		if (!own || (image && !(await forget(image)))) continue;
		// Another process may be at it, too.
		await rm(path, { recursive: true, force: true }).catch(() => {});
	}
}

const QUIET = { throwIfNoEntry: false } as const;

function namesIn(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

/** Numbers of another machine or namespace mean nothing here: they may be alive. */
function isLeft(name: string): boolean {
	const [, world, pid, start] = OWNED.exec(name) ?? [];
	if (pid === undefined || world !== SELF?.world) return false;
	try {
		return processOf(pid).start !== start;
	} catch (thrown) {
		// Anything else (no descriptor is left …) says nothing about the process.
		const { code = "" } = thrown as NodeJS.ErrnoException;
		return code === "ENOENT" || code === "ESRCH";
	}
}

function imageOf(path: string): KeptImage | undefined {
	const file = join(path, IMAGE);
	if (!existsSync(file)) return undefined;
	try {
		return JSON.parse(readFileSync(file, "utf8"));
	} catch {
		return undefined; // cut off while it was written: there is no image yet
	}
}

/**
 * proc(5): a process's number is the first field of stat, its start the 22nd; the second one, in brackets, may hold anything.
 * Throws ENOENT or ESRCH when there is no such process.
 */
function processOf(name: string): { pid: string; start: string } {
	const stat = readFileSync(`/proc/${name}/stat`, "utf8");
	const [start = ""] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(20);
	return { pid: stat.split(" ")[0] as string, start };
}

/** This process, of any thread of it; undefined where there is no /proc. */
function self() {
	try {
		const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
		const [, namespace] = readlinkSync("/proc/self/ns/pid").split(/[[\]]/);
		const world = `${boot.slice(0, 8)}-${namespace}`;
		return { ...processOf("self"), world, user: statSync("/proc/self").uid };
	} catch {
		return undefined;
	}
}

const SELF = self();
