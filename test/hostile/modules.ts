/**
 * More than a hundred modules that mean harm, made rather than kept: bytes that are no module,
 * imports and sizes that must be refused, programs that loop, flood, sleep and point outside
 * their memory, and filters that lie in the line protocol.
 */
import { WASI } from "#host/module/imports.js";
import { assemble } from "../engine/wat.js";
import { liars } from "./liars.js";
import { bytes, leb, section, started } from "./sections.js";

/** What a module may end in, wherever it is run. */
export type End =
	/** Refused when it is loaded: E_MODULE_*. */
	| "refused"
	/** Runs, and whatever it does ends in an errno, a trap, an exit code or a limit. */
	| "runs"
	/** Either: bytes changed by chance. */
	| "either";

export interface Hostile {
	name: string;
	end: End;
	bytes: Uint8Array;
}

/** `whole`: a good module, to be cut and changed. */
export async function hostileModules(whole: Uint8Array): Promise<Hostile[]> {
	return [
		...noModules(whole),
		...mutants(whole),
		...monsters(),
		...(await assembled(REFUSED, "refused")),
		...(await assembled(RUN, "runs")),
		...(await assembled(pointers(), "runs")),
		...(await assembled(liars(), "runs")),
	];
}

type Texts = { readonly [name: string]: string };

function assembled(texts: Texts, end: End): Promise<Hostile[]> {
	return Promise.all(
		Object.entries(texts).map(async ([name, text]) => ({
			name,
			end,
			bytes: await assemble(`(module ${text})`, `${name}.wat`),
		})),
	);
}

/* ---------------------------------------------------------------- bytes */

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function noModules(whole: Uint8Array): Hostile[] {
	const made: { [name: string]: Uint8Array } = {
		"zero-bytes": bytes(),
		"one-byte": bytes(0),
		"half-magic": bytes(0, 0x61, 0x73),
		"magic-only": bytes(0, 0x61, 0x73, 0x6d),
		"no-sections": bytes(MAGIC),
		"version-2": bytes(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0),
		component: bytes(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
		"shell-script": Buffer.from("#!/bin/sh\nrm -rf /\n"),
		gzip: bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0),
		"twenty-megabytes-of-zeros": Buffer.alloc(20e6),
		"section-of-4-gib": bytes(MAGIC, 1, leb(0xffff_ffff)),
		"four-billion-types": bytes(MAGIC, section(1, leb(0xffff_ffff))),
		"four-billion-imports": bytes(MAGIC, section(2, leb(0xffff_ffff))),
		"four-billion-functions": bytes(MAGIC, section(3, leb(0xffff_ffff))),
		"four-billion-exports": bytes(MAGIC, section(7, leb(0xffff_ffff))),
		"four-billion-code": bytes(MAGIC, section(10, leb(0xffff_ffff))),
		"four-billion-data": bytes(MAGIC, section(11, leb(0xffff_ffff))),
		"four-billion-locals": bytes(
			MAGIC,
			section(1, bytes(1, 0x60, 0, 0)),
			section(3, bytes(1, 0)),
			section(7, bytes(1, 6, Buffer.from("_start"), 0, 0)),
			section(10, bytes(1, 9, 1, leb(0xffff_ffff), 0x7f, 0x0b, 0)),
		),
		"endless-leb": bytes(MAGIC, 1, new Array(40).fill(0x80)),
		"sections-twice": bytes(MAGIC, section(1, bytes(0)), section(1, bytes(0))),
		"section-number-99": bytes(MAGIC, section(99, bytes(0))),
		"name-not-utf-8": bytes(MAGIC, section(0, bytes(2, 0xff, 0xfe))),
		"trailing-garbage": bytes(whole, 0xde, 0xad, 0xbe, 0xef),
		"module-twice": bytes(whole, whole),
	};
	const ends = Object.entries(made);
	return ends.map(([name, bytes]) => ({ name, bytes, end: "refused" }));
}

/** Code too deep for an assembler; V8's own limits may refuse it. */
function monsters(): Hostile[] {
	const nested = (depth: number, open: number[], close: number[]) =>
		started(
			Array.from({ length: depth }, () => open).flat(),
			Array.from({ length: depth }, () => close).flat(),
		);
	const made = {
		"blocks-nested-100000": nested(100_000, [0x02, 0x40], [0x0b]),
		"loops-nested-10000": nested(10_000, [0x03, 0x40], [0x0c, 0, 0x0b]),
		"ifs-nested-20000": nested(20_000, [0x41, 1, 0x04, 0x40], [0x0b]),
		"tries-nested-10000": nested(10_000, [0x06, 0x40], [0x19, 0x0b]),
		"operands-100000": nested(100_000, [0x41, 1], [0x1a]),
		"code-of-7-mib": started(Array.from({ length: 7_000_000 }, () => 0x01)),
	};
	return Object.entries(made).map(([name, bytes]) => ({
		name,
		bytes,
		end: "either",
	}));
}

/** Cut at every twentieth part, and changed at as many places. */
function mutants(whole: Uint8Array): Hostile[] {
	const parts = Array.from({ length: 20 }, (_, k) => k);
	const cut = parts.map((k): Hostile => {
		const end = Math.floor((whole.length * (k + 0.5)) / parts.length);
		const name = `cut-at-${end}`;
		return { name, end: "either", bytes: whole.slice(0, end) };
	});
	const changed = parts.map((k): Hostile => {
		const at = 8 + Math.floor(((whole.length - 8) * (k + 0.3)) / parts.length);
		const bytes = Uint8Array.from(whole);
		bytes[at] = ((bytes[at] as number) * 7 + 13) & 0xff;
		return { name: `changed-at-${at}`, end: "either", bytes };
	});
	return [...cut, ...changed];
}

/* -------------------------------------------------------------- refused */

const START = `(func (export "_start"))`;
const P1 = `"wasi_snapshot_preview1"`;

const REFUSED: Texts = {
	"import-constructor": `(import ${P1} "constructor" (func)) ${START}`,
	"import-proto": `(import ${P1} "__proto__" (func)) ${START}`,
	"import-to-string": `(import ${P1} "toString" (func)) ${START}`,
	"import-value-of": `(import ${P1} "valueOf" (func (result i32))) ${START}`,
	"import-has-own": `(import ${P1} "hasOwnProperty" (func (param i32) (result i32))) ${START}`,
	"import-from-proto": `(import "__proto__" "toString" (func)) ${START}`,
	"import-from-constructor": `(import "constructor" "name" (func)) ${START}`,
	"import-from-nobody": `(import "" "" (func)) ${START}`,
	"import-env-abort": `(import "env" "abort" (func (param i32 i32 i32 i32))) ${START}`,
	"import-line-end": `(import "a\\0aerror E_FAKE: forged" "\\1b[31m" (func)) ${START}`,
	"import-unstable": `(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32))) ${START}`,
	"import-thread-spawn": `(import "wasi" "thread-spawn" (func (param i32) (result i32))) ${START}`,
	"import-wrong-type": `(import ${P1} "fd_write" (func (param i64) (result i64))) ${START}`,
	"import-no-result": `(import ${P1} "fd_write" (func (param i32 i32 i32 i32))) ${START}`,
	"import-exit-result": `(import ${P1} "proc_exit" (func (param i32) (result i32))) ${START}`,
	"import-memory": `(import ${P1} "memory" (memory 1)) ${START}`,
	"import-table": `(import ${P1} "table" (table 1 funcref)) ${START}`,
	"import-global": `(import ${P1} "global" (global i32)) ${START}`,
	"import-mutable-global": `(import "env" "sp" (global (mut i32))) ${START}`,
	"import-many": `${Array.from({ length: 2000 }, (_, k) => `(import "env" "f${k}" (func))`).join(" ")} ${START}`,
	"import-long-name": `(import "env" "${"x".repeat(100_000)}" (func)) ${START}`,
	"memory-4-gib": `(memory 65536) ${START}`,
	"memory-17-mib": `(memory 272) ${START}`,
	"table-giant": `(table 10000000 funcref) ${START}`,
	"table-max-u32": `(table 4294967295 funcref) ${START}`,
	"tables-many": `${"(table 200 funcref) ".repeat(90)} ${START}`,
	"no-start": `(func (export "main"))`,
	"start-is-memory": `(memory (export "_start") 1)`,
	"start-takes-arguments": `(func (export "_start") (param i32))`,
	empty: "",
};

/* ----------------------------------------------------------------- runs */

const READ = `(import ${P1} "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))`;
const WRITE = `(import ${P1} "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
const EXIT = `(import ${P1} "proc_exit" (func $exit (param i32)))`;
const POLL = `(import ${P1} "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))`;
const MEMORY = `(memory (export "memory") 1)`;
/** Reads up to 32 KiB to 8192 once. */
const READ_ONCE = `(i32.store (i32.const 0) (i32.const 8192)) (i32.store (i32.const 4) (i32.const 32768))
  (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))`;
/** Points iovec 0 to memory[at, at + n). */
const piece = (at: number, n: number) =>
	`(i32.store (i32.const 0) (i32.const ${at})) (i32.store (i32.const 4) (i32.const ${n}))`;
const say = (fd: number) =>
	`(drop (call $write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 16)))`;
const ever = (what: string) => `(loop $ever ${what} (br $ever))`;
const start = (what: string) => `(func (export "_start") ${what})`;

const RUN: Texts = {
	loop: start(ever("")),
	"loop-of-host-calls": `${WRITE} ${MEMORY} ${start(ever(say(1)))}`,
	"loop-after-reading": `${READ} ${MEMORY} ${start(`${READ_ONCE} ${ever("")}`)}`,
	"unreachable-at-once": start("unreachable"),
	"unreachable-after-reading": `${READ} ${MEMORY} ${start(`${READ_ONCE} unreachable`)}`,
	"start-section-loop": `(func $s ${ever("")}) (start $s) ${START}`,
	"start-section-trap": `(func $s unreachable) (start $s) ${START}`,
	"start-section-grow": `(memory 1) (func $s ${ever("(drop (memory.grow (i32.const 1)))")}) (start $s) ${START}`,
	"start-section-exit": `${EXIT} (func $s (call $exit (i32.const 3))) (start $s) ${START}`,
	"start-section-flood": `${WRITE} ${MEMORY} (func $s ${piece(0, 60000)} ${ever(say(1))}) (start $s) ${START}`,
	"memory-grow-loop": `${MEMORY} ${start(ever("(drop (memory.grow (i32.const 1)))"))}`,
	"memory-grow-wraps": `${MEMORY} ${start("(drop (memory.grow (i32.const -1)))")}`,
	"memory-fill-loop": `(memory (export "memory") 256) ${start(ever("(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))"))}`,
	"memory-touch-all": `(memory (export "memory") 256) ${start("(memory.fill (i32.const 0) (i32.const 7) (i32.const 16777216))")}`,
	"memory-outside": `${MEMORY} ${start("(drop (i32.load (i32.const -4)))")}`,
	"table-grow-loop": `(table 1 funcref) ${start(ever("(drop (table.grow (ref.null func) (i32.const 1000)))"))}`,
	"table-outside": `(type $t (func)) (table 1 funcref) ${start("(call_indirect (type $t) (i32.const -1))")}`,
	"table-null": `(type $t (func)) (table 1 funcref) ${start("(call_indirect (type $t) (i32.const 0))")}`,
	"table-wrong-type": `(type $t (func (param i64))) (table funcref (elem $f)) (func $f) ${start("(call_indirect (type $t) (i64.const 1) (i32.const 0))")}`,
	recursion: `(func $f (export "_start") (call $f))`,
	"recursion-with-locals": `(func $f (export "_start") ${"(local i64)".repeat(2000)} (call $f))`,
	"recursion-through-table": `(type $t (func)) (table funcref (elem $f)) (func $f (export "_start") (call_indirect (type $t) (i32.const 0)))`,
	"recursion-catching-nothing": `(func $f (param i32) (call $f (local.get 0)) (call $f (local.get 0))) ${start("(call $f (i32.const 0))")}`,
	"divide-by-zero": start("(drop (i32.div_s (i32.const 1) (i32.const 0)))"),
	"divide-overflow": start(
		"(drop (i32.div_s (i32.const -2147483648) (i32.const -1)))",
	),
	"convert-nan": start("(drop (i32.trunc_f64_s (f64.const nan)))"),
	"br-table-monster": start(
		`(block $b (br_table ${"$b ".repeat(60_000)} (i32.const 77)))`,
	),
	"functions-20000": `${"(func) ".repeat(20_000)} ${START}`,
	"globals-20000": `${"(global (mut i64) (i64.const 1)) ".repeat(20_000)} ${START}`,
	"exports-5000": `(func $f) ${Array.from({ length: 5000 }, (_, k) => `(export "e${k}" (func $f))`).join(" ")} ${START}`,
	"exports-of-javascript": `(func $f) (export "__proto__" (func $f)) (export "constructor" (func $f)) (export "then" (func $f)) (export "toString" (func $f)) ${START}`,
	"memory-export-is-function": `${WRITE} (func (export "memory")) ${start("(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0)))")}`,
	"no-memory": `${WRITE} ${start("(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0)))")}`,
	"exit-0": `${EXIT} ${start("(call $exit (i32.const 0))")}`,
	"exit-256": `${EXIT} ${start("(call $exit (i32.const 256))")}`,
	"exit-minus-1": `${EXIT} ${start("(call $exit (i32.const -1))")}`,
	"exit-after-reading": `${READ} ${EXIT} ${MEMORY} ${start(`${READ_ONCE} (call $exit (i32.const 77))`)}`,
	"returns-after-reading": `${READ} ${MEMORY} ${start(READ_ONCE)}`,
	"flood-stdout": `${WRITE} ${MEMORY} ${start(`${piece(0, 65536)} ${ever(say(1))}`)}`,
	"flood-stderr": `${WRITE} ${MEMORY} ${start(`${piece(0, 65536)} ${ever(say(2))}`)}`,
	"flood-stderr-lines": `${WRITE} (memory (export "memory") 1) (data (i32.const 32) "${"\\0a".repeat(4096)}") ${start(`${piece(32, 4096)} ${ever(say(2))}`)}`,
	"flood-stdout-lines": `${READ} ${WRITE} (memory (export "memory") 1) (data (i32.const 32) "${"\\0a".repeat(4096)}") ${start(`${READ_ONCE} ${piece(32, 4096)} ${ever(say(1))}`)}`,
	"flood-byte-by-byte": `${READ} ${WRITE} ${MEMORY} ${start(`${READ_ONCE} ${piece(100, 1)} ${ever(say(1))}`)}`,
	"flood-after-reading": `${READ} ${WRITE} ${MEMORY} ${start(`${READ_ONCE} ${piece(0, 65536)} ${ever(say(1))}`)}`,
	"flood-terminal-escapes": `${WRITE} ${MEMORY} (data (i32.const 32) "\\1b]0;owned\\07\\1b[2J\\ff\\fe\\0a") ${start(`${piece(32, 18)} ${say(2)} unreachable`)}`,
	"sleep-for-ever": `${POLL} ${MEMORY} (data (i32.const 128) "\\00\\00\\00\\00\\00\\00\\00\\00\\00") (data (i32.const 144) "\\01") (data (i32.const 152) "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\7f") ${start(ever("(drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 16)))"))}`,
	"random-for-ever": `(import ${P1} "random_get" (func $random (param i32 i32) (result i32))) ${MEMORY} ${start(ever("(drop (call $random (i32.const 0) (i32.const 65536)))"))}`,
	"clock-for-ever": `(import ${P1} "clock_time_get" (func $clock (param i32 i64 i32) (result i32))) ${MEMORY} ${start(ever("(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 0)))"))}`,
	"yield-for-ever": `(import ${P1} "sched_yield" (func $yield (result i32))) ${start(ever("(drop (call $yield))"))}`,
	"read-nothing-for-ever": `${READ} ${MEMORY} ${start(ever("(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))"))}`,
	"read-for-ever": `${READ} ${MEMORY} ${start(ever(READ_ONCE))}`,
	"close-everything": `(import ${P1} "fd_close" (func $close (param i32) (result i32))) ${READ} ${MEMORY} ${start(`(drop (call $close (i32.const 0))) (drop (call $close (i32.const 1))) (drop (call $close (i32.const 2))) (drop (call $close (i32.const -1))) ${READ_ONCE}`)}`,
	"iovecs-2-to-the-29": `${WRITE} ${MEMORY} ${start("(drop (call $write (i32.const 1) (i32.const 0) (i32.const 0x20000000) (i32.const 8)))")}`,
	"iovecs-overlapping": `${READ} ${MEMORY} ${start(`${piece(0, 65536)} (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4))) unreachable`)}`,
	"catches-everything": `${WRITE} ${EXIT} ${MEMORY} ${start(`${piece(0, 60000)} ${ever(`(try (do ${say(1)} (call $exit (i32.const 1))) (catch_all))`)}`)}`,
	"throws-its-own": `(tag $t (param i32)) ${start("(throw $t (i32.const 1))")}`,
};

/* ------------------------------------------------------------- pointers */

/** Values that lie outside, wrap, or are negative when taken for signed. */
const ODD = [-1, 0x7fff_ffff, -0x8000_0000, 65_535, 65_536];

/** Each function of preview 1, each of its parameters odd in turn and all at once. */
function pointers(): Texts {
	const texts: { [name: string]: string } = {};
	for (const [name, { signature }] of WASI) {
		if (name === "proc_exit") continue;
		const types = signature.slice(0, signature.indexOf(":"));
		texts[`pointers-${name}`] = oddCalls(name, types);
	}
	return texts;
}

function oddCalls(name: string, types: string): string {
	const type = (t: string) => (t === "I" ? "i64" : "i32");
	const call = (values: readonly number[]) =>
		`(drop (call $f ${values.map((v, k) => `(${type(types[k] as string)}.const ${v})`).join(" ")}))`;
	const calls: string[] = [];
	for (const odd of ODD) {
		calls.push(call([...types].map(() => odd)));
		for (let k = 0; k < types.length; k++) {
			calls.push(call([...types].map((_, p) => (p === k ? odd : 1))));
		}
	}
	const params = [...types].map(type).join(" ");
	return `(import ${P1} "${name}" (func $f (param ${params}) (result i32))) ${MEMORY} ${start(calls.join("\n"))}`;
}
