/** A compiled filter on a stdin and stdout in memory: the smallest WASI host that can be wrong in every allowed way. */
import { createHash } from "node:crypto";
import {
	existsSync,
	readdirSync,
	readFileSync,
	renameSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CompileOptions, compileFilter } from "#host/cli/compile.js";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A filter of test/fixtures/filters. */
export async function fixture(
	name: string,
	options?: CompileOptions,
): Promise<WebAssembly.Module> {
	return load(path(`../fixtures/filters/${name}.ts`), options);
}

/** A filter that ships. */
export async function shipped(
	name: string,
	options?: CompileOptions,
): Promise<WebAssembly.Module> {
	return load(path(`../../assembly/filters/${name}.ts`), options);
}

async function load(file: string, options: CompileOptions = {}) {
	return new WebAssembly.Module(
		(await compiled(file, options)) as BufferSource,
	);
}

/** What else decides how a module comes out. */
const COMPILER = [
	"cli/compile",
	"cli/asked",
	"cli/syntax",
	"cli/slim",
	"cli/trace",
	"module/params",
];

/** A compilation takes seconds and the suites share filters: kept by the hash of all that goes into it. */
async function compiled(file: string, options: CompileOptions) {
	const hash = createHash("sha256").update(JSON.stringify(options));
	for (const source of [
		file,
		...COMPILER.map((name) => path(`../../build/host/${name}.js`)),
		...sdk(),
	])
		hash.update(`${source}\0`).update(readFileSync(source));
	const kept = join(
		tmpdir(),
		`wasieve-test-${hash.digest("hex").slice(0, 32)}.wasm`,
	);
	if (existsSync(kept)) return readFileSync(kept);
	const { bytes } = await compileFilter(file, options);
	const own = `${kept}.${process.pid}`;
	writeFileSync(own, bytes);
	renameSync(own, kept);
	return bytes;
}

function sdk(): string[] {
	const folder = path("../../assembly/");
	const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
	return [
		path("../../package-lock.json"),
		...files.sort().map((name) => folder + name),
	];
}

const EAGAIN = 6;
const EINTR = 27;

export interface Habits {
	env?: Record<string, string>;
	/** Answers this many calls with EINTR and EAGAIN before each that works. */
	interruptions?: number;
	/** Takes at most this many bytes a write. */
	shortWrites?: number;
	/** Gives at most this many bytes a read. */
	shortReads?: number;
}

export class Exit extends Error {
	constructor(readonly code: number) {
		super(`exit ${code}`);
	}
}

export class Guest {
	readonly #instance: WebAssembly.Instance;
	readonly #habits: Habits;
	#input: Buffer[] = [];
	#ended = false;
	#interrupted = 0;
	#out: Buffer[] = [];
	#err: Buffer[] = [];
	/** Of fd_read and fd_write, as they were asked for. */
	readonly iovecCounts = new Set<number>();

	constructor(module: WebAssembly.Module, habits: Habits = {}) {
		this.#habits = habits;
		this.#instance = new WebAssembly.Instance(module, {
			wasi_snapshot_preview1: this.#wasi(),
		});
	}

	get memory(): WebAssembly.Memory {
		return this.#instance.exports.memory as WebAssembly.Memory;
	}

	/** What stdin holds from now on; each piece is what one read brings. */
	give(...pieces: (string | Buffer)[]): this {
		const buffers = pieces.map((piece) => Buffer.from(piece as string));
		// A read of nothing would be the end.
		this.#input.push(...buffers.filter((buffer) => buffer.length > 0));
		return this;
	}

	endInput(): this {
		this.#ended = true;
		return this;
	}

	start(): this {
		(this.#instance.exports._start as () => void)();
		return this;
	}

	pump(): this {
		(this.#instance.exports.pump as () => void)();
		return this;
	}

	/** What it has written since the last time. */
	out(): string {
		return this.outBytes().toString();
	}

	outBytes(): Buffer {
		return Buffer.concat(this.#out.splice(0));
	}

	err(): string {
		return Buffer.concat(this.#err.splice(0)).toString();
	}

	#view(): DataView {
		return new DataView(this.memory.buffer);
	}

	/** Whether this call is one of those that fail first. */
	#interrupt(): number {
		const { interruptions = 0 } = this.#habits;
		if (this.#interrupted++ % (interruptions + 1) === interruptions) return 0;
		return this.#interrupted % 2 ? EINTR : EAGAIN;
	}

	#wasi(): Record<string, (...args: number[]) => number> {
		return Object.assign(Object.create(null), {
			fd_read: (fd: number, iov: number, count: number, done: number) => {
				if (fd !== 0) throw new Error(`fd_read of ${fd}`);
				this.iovecCounts.add(count);
				return this.#interrupt() || this.#read(iov, done);
			},
			fd_write: (fd: number, iov: number, count: number, done: number) => {
				this.iovecCounts.add(count);
				return this.#interrupt() || this.#write(fd, iov, done);
			},
			environ_sizes_get: (count: number, size: number) => {
				const env = this.#environ();
				this.#view().setUint32(count, env.length, true);
				this.#view().setUint32(size, Buffer.concat(env).length, true);
				return 0;
			},
			environ_get: (pointers: number, bytes: number) => {
				for (const each of this.#environ()) {
					this.#view().setUint32(pointers, bytes, true);
					Buffer.from(this.memory.buffer).set(each, bytes);
					pointers += 4;
					bytes += each.length;
				}
				return 0;
			},
			proc_exit: (code: number) => {
				throw new Exit(code);
			},
		});
	}

	#environ(): Buffer[] {
		const pairs = Object.entries(this.#habits.env ?? {});
		return pairs.map(([name, value]) => Buffer.from(`${name}=${value}\0`));
	}

	#read(iov: number, done: number): number {
		const piece = this.#input[0];
		if (piece === undefined && !this.#ended) return EAGAIN;
		const view = this.#view();
		const room = Math.min(
			view.getUint32(iov + 4, true),
			this.#habits.shortReads ?? Number.POSITIVE_INFINITY,
		);
		const part = (piece ?? Buffer.alloc(0)).subarray(0, room);
		Buffer.from(this.memory.buffer).set(part, view.getUint32(iov, true));
		view.setUint32(done, part.length, true);
		if (piece === undefined) return 0;
		if (part.length < piece.length) this.#input[0] = piece.subarray(room);
		else this.#input.shift();
		return 0;
	}

	#write(fd: number, iov: number, done: number): number {
		const view = this.#view();
		const at = view.getUint32(iov, true);
		const size = Math.min(
			view.getUint32(iov + 4, true),
			this.#habits.shortWrites ?? Number.POSITIVE_INFINITY,
		);
		const part = Buffer.from(this.memory.buffer.slice(at, at + size));
		(fd === 1 ? this.#out : this.#err).push(part);
		view.setUint32(done, size, true);
		return 0;
	}
}

/** One whole run, from the first byte to the end of input. */
export function run(
	module: WebAssembly.Module,
	input: string | Buffer | (string | Buffer)[],
	habits?: Habits,
): { out: string; err: string } {
	const guest = new Guest(module, habits);
	guest.give(...(Array.isArray(input) ? input : [input]));
	guest.endInput().start();
	return { out: guest.out(), err: guest.err() };
}

export const RS = "\x1e";
export const HELLO = `${RS}h1 pump\n`;

/** A guest that has answered the hello and waits. */
export function tracked(module: WebAssembly.Module, habits?: Habits): Guest {
	return new Guest(module, habits).give(HELLO).start();
}

/** The lines of one text that are no control records. */
export function data(out: string): string {
	return out.replace(new RegExp(`^${RS}.*\n`, "gm"), "");
}
