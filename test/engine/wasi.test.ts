import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualNature } from "#host/engine/time.js";
import { Exit, type WasiHost, wasiImports } from "#host/engine/wasi.js";
import { PREVIEW1, WASI } from "#host/module/imports.js";

const OK = 0;
const AGAIN = 6;
const BADF = 8;
const FAULT = 21;
const INVAL = 28;
const PAGE = 65_536;

type Calls = Record<string, (...args: (number | bigint)[]) => number>;

/** A host with 64 KiB of memory, "input" on stdin and what was written in `written`. */
function guest(changes: Partial<WasiHost> = {}) {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
	const nature = new VirtualNature(1000);
	const written: string[] = [];
	let input = Buffer.from("input");
	const host: WasiHost = {
		args: ["filter", "ä"],
		env: ["LIMIT=85"],
		read(bytes, at, length) {
			const piece = input.subarray(0, length);
			input = input.subarray(length);
			bytes.set(piece, at);
			return piece.length;
		},
		write(fd, bytes, at, end) {
			written.push(`${fd}:${Buffer.from(bytes.subarray(at, end))}`);
			return end - at;
		},
		clock: (id) => nature.clock(id),
		random: (target) => nature.random(target),
		wait(stdin, ns) {
			if (!stdin) nature.sleep(ns as bigint);
			return stdin;
		},
		...changes,
	};
	const imports = wasiImports(host, () => memory);
	const view = () => new DataView(memory.buffer);
	const text = (at: number, length: number) =>
		Buffer.from(memory.buffer, at, length).toString();
	return {
		memory,
		written,
		imports,
		calls: imports[PREVIEW1] as Calls,
		u32: (at: number) => view().getUint32(at, true),
		u64: (at: number) => view().getBigUint64(at, true),
		set(at: number, ...words: number[]) {
			for (const [k, word] of words.entries()) {
				view().setUint32(at + 4 * k, word, true);
			}
		},
		put: (at: number, said: string) =>
			Buffer.from(memory.buffer).write(said, at),
		text,
	};
}

test("every function of preview 1 is there, nothing else, and nothing inherited", () => {
	const { imports, calls } = guest();
	expect(Object.keys(imports)).toEqual([PREVIEW1]);
	expect(Object.keys(calls).sort()).toEqual([...WASI.keys()].sort());
	for (const name of ["constructor", "__proto__", "toString", "valueOf"]) {
		expect(imports[name]).toBeUndefined();
		expect(calls[name]).toBeUndefined();
	}
});

test("what is denied answers an errno and grants nothing", () => {
	const { calls, memory } = guest();
	const before = Buffer.from(memory.buffer.slice(0));
	for (const [name, { status, signature }] of WASI) {
		if (status !== "denied") continue;
		const args = [...(signature.split(":")[0] as string)].map((type) =>
			type === "I" ? 0n : 3,
		);
		expect(calls[name]?.(...args), name).toBeGreaterThan(0);
	}
	expect(Buffer.from(memory.buffer).equals(before)).toBe(true);
});

describe("fd_read", () => {
	test("fills the first piece that is not empty", () => {
		const g = guest();
		g.set(0, 100, 0, 200, 3, 300, 10);
		expect(g.calls.fd_read?.(0, 0, 3, 40)).toBe(OK);
		expect(g.u32(40)).toBe(3);
		expect(g.text(200, 3)).toBe("inp");
		expect(g.text(300, 1)).toBe("\0");
	});

	test("0 bytes mean the end, would-block is AGAIN", () => {
		const end = guest({ read: () => 0 });
		end.set(0, 100, 8);
		end.set(40, 7);
		expect(end.calls.fd_read?.(0, 0, 1, 40)).toBe(OK);
		expect(end.u32(40)).toBe(0);
		const later = guest({ read: () => -1 });
		later.set(0, 100, 8);
		expect(later.calls.fd_read?.(0, 0, 1, 40)).toBe(AGAIN);
	});

	test("takes no input when the answer could not be told", () => {
		const g = guest();
		g.set(0, 100, 5);
		expect(g.calls.fd_read?.(0, 0, 1, PAGE - 3)).toBe(FAULT);
		g.set(8, 100, 5, PAGE - 1, 2);
		expect(g.calls.fd_read?.(0, 8, 2, 40)).toBe(FAULT);
		expect(g.calls.fd_read?.(0, 0, 1, 40)).toBe(OK);
		expect(g.text(100, 5)).toBe("input");
	});

	test("only stdin can be read, and not after it was closed", () => {
		const g = guest();
		for (const fd of [1, 2, 3, -1]) {
			expect(g.calls.fd_read?.(fd, 0, 0, 40)).toBe(BADF);
		}
		expect(g.calls.fd_close?.(0)).toBe(OK);
		expect(g.calls.fd_close?.(0)).toBe(BADF);
		expect(g.calls.fd_read?.(0, 0, 0, 40)).toBe(BADF);
	});
});

describe("fd_write", () => {
	test("writes all pieces in order", () => {
		const g = guest();
		g.put(100, "one two");
		g.set(0, 100, 4, 100, 0, 104, 3);
		expect(g.calls.fd_write?.(1, 0, 3, 40)).toBe(OK);
		expect(g.u32(40)).toBe(7);
		expect(g.written).toEqual(["1:one ", "1:two"]);
	});

	test("stops at a piece that was not taken whole", () => {
		const g = guest({ write: () => 2 });
		g.set(0, 100, 4, 104, 3);
		expect(g.calls.fd_write?.(2, 0, 2, 40)).toBe(OK);
		expect(g.u32(40)).toBe(2);
	});

	test("after memory.grow it sees the new memory", () => {
		const g = guest();
		g.set(0, 100, 1);
		expect(g.calls.fd_write?.(1, 0, 1, 40)).toBe(OK);
		g.memory.grow(1);
		g.put(PAGE + 10, "far");
		g.set(0, PAGE + 10, 3);
		expect(g.calls.fd_write?.(1, 0, 1, PAGE + 40)).toBe(OK);
		expect(g.written.at(-1)).toBe("1:far");
	});

	test("more than 1024 pieces, or more bytes than a count holds, are INVAL", () => {
		const g = guest();
		expect(g.calls.fd_write?.(1, 0, 1025, 40)).toBe(INVAL);
		expect(g.calls.fd_write?.(1, 0, 0x2000_0000, 40)).toBe(INVAL);
		expect(g.calls.fd_write?.(1, 0, -1, 40)).toBe(INVAL);
		for (let k = 0; k < 1024; k++) g.set(8 * k, 0, PAGE);
		expect(g.calls.fd_write?.(1, 0, 1024, PAGE - 4)).toBe(OK);
		g.memory.grow(3);
		for (let k = 0; k < 1024; k++) g.set(8 * k, 0, 4 * PAGE);
		expect(g.written.length).toBe(1024);
	});
});

test("stdin and stdout look like a terminal, so that C programs flush each line", () => {
	const g = guest();
	const RIGHTS = { seek: 1n << 2n, tell: 1n << 5n };
	for (const fd of [0, 1, 2]) {
		expect(g.calls.fd_fdstat_get?.(fd, 64)).toBe(OK);
		expect(g.memory.buffer.slice(64, 65)).toEqual(new Uint8Array([2]).buffer);
		expect(g.u64(72) & (RIGHTS.seek | RIGHTS.tell)).toBe(0n);
		expect(g.u64(72) & (1n << (fd === 0 ? 1n : 6n))).not.toBe(0n);
	}
	expect(g.calls.fd_fdstat_get?.(3, 64)).toBe(BADF);
	expect(g.calls.fd_prestat_get?.(3, 64)).toBe(BADF);
});

test("arguments and environment, each text with its NUL", () => {
	const g = guest();
	g.calls.args_sizes_get?.(0, 4);
	expect([g.u32(0), g.u32(4)]).toEqual([2, 10]);
	expect(g.calls.args_get?.(16, 100)).toBe(OK);
	expect([g.u32(16), g.u32(20)]).toEqual([100, 107]);
	expect(g.text(100, 10)).toBe("filter\0ä\0");
	expect(g.calls.environ_get?.(16, PAGE - 9)).toBe(OK);
	expect(g.text(PAGE - 9, 9)).toBe("LIMIT=85\0");
	expect(g.calls.environ_get?.(16, PAGE - 8)).toBe(FAULT);
	expect(g.calls.args_get?.(PAGE - 7, 100)).toBe(FAULT);
});

test("proc_exit carries the code as a u32", () => {
	const { calls } = guest();
	expect(() => calls.proc_exit?.(3)).toThrow(Exit);
	try {
		calls.proc_exit?.(-1);
	} catch (thrown) {
		expect((thrown as Exit).code).toBe(2 ** 32 - 1);
	}
});

test("virtual time moves 1 µs a look, and by what was slept", () => {
	const g = guest();
	g.calls.clock_time_get?.(0, 0n, 0);
	expect(g.u64(0)).toBe(1_000_001_000n);
	sleep(g, 1, 5_000_000_000n, 0);
	g.calls.clock_time_get?.(1, 0n, 0);
	expect(g.u64(0)).toBe(6_000_002_000n);
	expect(g.calls.clock_time_get?.(4, 0n, 0)).toBe(INVAL);
});

test("the same random numbers in every run, and not all alike", () => {
	const [a, b] = [guest(), guest()];
	a.calls.random_get?.(0, 1001);
	b.calls.random_get?.(0, 1001);
	expect(a.text(0, 1001)).toBe(b.text(0, 1001));
	expect(
		new Set(new Uint8Array(a.memory.buffer, 0, 1001)).size,
	).toBeGreaterThan(200);
});

/** A subscription to a clock at 64, its event at 128, their number at 8. */
function sleep(
	g: ReturnType<typeof guest>,
	clock: number,
	timeout: bigint,
	flags: number,
) {
	const view = new DataView(g.memory.buffer);
	view.setBigUint64(64, 77n, true);
	view.setUint8(72, 0);
	view.setUint32(80, clock, true);
	view.setBigUint64(88, timeout, true);
	view.setUint16(104, flags, true);
	return g.calls.poll_oneoff?.(64, 128, 1, 8);
}

describe("poll_oneoff", () => {
	test("a relative and an absolute time", () => {
		const slept: (bigint | undefined)[] = [];
		const g = guest({
			clock: () => 1000n,
			wait: (_stdin, ns) => {
				slept.push(ns);
				return false;
			},
		});
		expect(sleep(g, 1, 500n, 0)).toBe(OK);
		expect([g.u32(8), g.u64(128), g.u32(136)]).toEqual([1, 77n, 0]);
		sleep(g, 0, 1700n, 1);
		sleep(g, 0, 300n, 1);
		expect(slept).toEqual([500n, 700n, 0n]);
	});

	test("stdin is readable, stdout writable, other descriptors are BADF", () => {
		const g = guest();
		for (const [k, [kind, fd]] of (
			[
				[1, 0],
				[2, 1],
				[1, 5],
				[9, 0],
			] as const
		).entries()) {
			g.set(1024 + 48 * k, k, 0, kind, 0, fd);
		}
		expect(g.calls.poll_oneoff?.(1024, 4096, 4, 8)).toBe(OK);
		expect(g.u32(8)).toBe(4);
		const events = [0, 1, 2, 3].map((k) => [
			g.u32(4096 + 32 * k),
			g.u32(4096 + 32 * k + 8) & 0xffff,
		]);
		expect(events).toEqual([
			[0, OK],
			[1, OK],
			[2, BADF],
			[3, INVAL],
		]);
	});

	test("with stdin and a clock, only what happened is told", () => {
		let readable = false;
		const g = guest({ wait: () => readable });
		g.set(1024, 1, 0, 1, 0, 0);
		g.set(1024 + 48, 2, 0, 0, 0, 1, 0, 50);
		g.calls.poll_oneoff?.(1024, 4096, 2, 8);
		expect([g.u32(8), g.u32(4096)]).toEqual([1, 2]);
		readable = true;
		g.calls.poll_oneoff?.(1024, 4096, 2, 8);
		expect([g.u32(8), g.u32(4096)]).toEqual([1, 1]);
	});
});

test("while a start section runs, memory is not there: FAULT", () => {
	const { calls } = guest();
	const none = wasiImports(
		{
			args: [],
			env: [],
			read: () => 0,
			write: () => 0,
			clock: () => 0n,
			random: () => {},
			wait: () => true,
		},
		() => undefined,
	)[PREVIEW1] as Calls;
	for (const name of ["fd_read", "fd_write", "poll_oneoff"]) {
		expect(none[name]?.(1 - Number(name === "fd_read"), 0, 1, 0)).toBe(FAULT);
		expect(calls[name]).toBeDefined();
	}
	expect(none.args_sizes_get?.(0, 4)).toBe(FAULT);
	expect(none.clock_time_get?.(0, 0n, 0)).toBe(FAULT);
});

test("no numbers a guest can think of make a call throw", () => {
	const edge = fc.constantFrom(
		...[0, 1, 2, 3, 7, 8, 64, 1024, 1025, PAGE - 8, PAGE - 1, PAGE, PAGE + 1],
		...[0x1fff_ffff, 0x2000_0000, 0x7fff_ffff, -0x8000_0000, -8, -1],
	);
	const words = fc.array(edge, { minLength: 8, maxLength: 24 });
	const check = (name: string, args: number[], content: number[]) => {
		const g = guest();
		g.set(0, ...content);
		g.set(1024, ...content);
		const types = [...(WASI.get(name)?.signature.split(":")[0] ?? "")];
		const given = types.map((type, k) =>
			type === "I" ? BigInt(args[k] as number) : (args[k] as number),
		);
		try {
			const errno = g.calls[name]?.(...given) as number;
			expect(Number.isInteger(errno) && errno >= 0 && errno <= 76).toBe(true);
		} catch (thrown) {
			expect(thrown).toBeInstanceOf(Exit);
		}
		expect(g.memory.buffer.byteLength).toBe(PAGE);
	};
	fc.assert(
		fc.property(
			fc.constantFrom(...WASI.keys()),
			fc.array(edge, { minLength: 9, maxLength: 9 }),
			words,
			check,
		),
		{ numRuns: 20_000 },
	);
});
