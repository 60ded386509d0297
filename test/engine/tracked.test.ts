import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch, Outcomes } from "#host/contract.js";
import { TrackedInput } from "#host/engine/tracked-input.js";
import { parseHello, TrackedOutput } from "#host/engine/tracked-output.js";
import type { WasieveError } from "#host/errors.js";
import { batchOf } from "../pipeline/parts.js";

/** Outcomes as lines of text. */
function recorder(): { said: string[]; outcomes: Outcomes } {
	const said: string[] = [];
	const nothing = () => {};
	const outcomes: Outcomes = {
		congested: false,
		begin: nothing,
		commit: nothing,
		rollback: nothing,
		output: (_b: Batch, i, bytes, start, end, suffix) =>
			said.push(
				`${i}${suffix && ` >${suffix}`}: ${Buffer.from(bytes.subarray(start, end))}`,
			),
		drop: (_b, i, reason) => said.push(`drop ${i} ${reason}`),
		fail: (_b, i, error) =>
			said.push(`fail ${i} ${error.code} ${error.message}`),
		consumed: nothing,
		log: nothing,
		restarted: nothing,
		ready: nothing,
		stopped: nothing,
	};
	return { said, outcomes };
}

const SIX = batchOf(
	["t", "0"],
	["t", "1"],
	["t", "2"],
	["t", "3"],
	["t", "4"],
	["t", "5"],
);

/** What the host makes of the guest's stdout, cut where told. */
function hear(stdout: string, cuts: readonly number[] = []): string[] {
	const { said, outcomes } = recorder();
	const output = new TrackedOutput(outcomes, 10_000);
	output.load(SIX, 0, 6);
	const bytes = Buffer.from(stdout);
	const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
	for (let k = 0; k + 1 < edges.length; k++) {
		const [at, end] = [edges[k] as number, edges[k + 1] as number];
		// Each write lies somewhere in a memory full of line ends.
		const memory = Buffer.alloc(bytes.length + 20, "\n");
		bytes.copy(memory, 7, at, end);
		output.write(memory, 7, 7 + end - at);
	}
	output.finish();
	return said;
}

const TALK = [
	"{from:timer}",
	"\x1e@0",
	"a",
	"b",
	"\x1ed1 inside",
	"\x1ed2 inside",
	"\x1e>hot/1",
	"\x1e@3",
	"c",
	"\x1er3 temperature: expected a number",
	"\x1ec4",
	"{no cause}",
	"\x1e@1",
	"d",
	"\x1e@-",
	"e",
	"\x1ec2",
	"",
].join("\n");

const HEARD = [
	"-1: {from:timer}",
	"0: a",
	"0: b",
	"drop 1 inside",
	"drop 2 inside",
	"3 >hot/1: c",
	"fail 3 E_GUEST_REJECT temperature: expected a number",
	"-1: {no cause}",
	"5: d",
	"-1: e",
];

describe("what the guest says", () => {
	test("outputs, causes, drops, rejects and suffixes", () => {
		expect(hear(TALK)).toEqual(HEARD);
	});

	test("is the same wherever its writes are cut", () => {
		const cut = fc.nat(Buffer.byteLength(TALK));
		fc.assert(
			fc.property(fc.array(cut, { maxLength: 6 }), (cuts) => {
				expect(hear(TALK, cuts)).toEqual(HEARD);
			}),
		);
	});

	test("a last line without its end is an output", () => {
		expect(hear("x")).toEqual(["-1: x"]);
	});

	test.each([
		["a reading it was not given", "\x1e@6\n"],
		["after consuming", "\x1ec6\n\x1e@0\n"],
		["more consumed than given", "\x1ec7\n"],
		["nothing consumed", "\x1ec0\n"],
		["no number", "\x1e@\n"],
		["not a number", "\x1ed1x why\n"],
		["a number that overflows", "\x1ec4294967297000\n"],
		["unknown record", "\x1eZ\n"],
		["empty record", "\x1e\n"],
	])("a lie is a protocol error: %s", (_, stdout) => {
		expect(() => hear(stdout)).toThrow(
			expect.objectContaining({ code: "E_GUEST_PROTOCOL" }),
		);
	});

	test("more than its limit is a fault, and memory stays bounded", () => {
		expect(() => hear(`${"x".repeat(10_001)}\n`)).toThrow(
			expect.objectContaining({ code: "E_GUEST_OUTPUT" }),
		);
	});

	test("its hello", () => {
		expect(parseHello("1")).toEqual({
			time: false,
			every: 0,
			topic: false,
			max: Number.POSITIVE_INFINITY,
		});
		expect(parseHello("1 every=60000 topic max=65535 later=1")).toEqual({
			time: true,
			every: 60_000,
			topic: true,
			max: 65_535,
		});
		let code = "";
		try {
			parseHello("2");
		} catch (thrown) {
			code = (thrown as WasieveError).code;
		}
		expect(code).toBe("E_GUEST_VERSION");
	});
});

/** All that fd_read gives with a buffer of `size`, and how often it took. */
function read(
	input: TrackedInput,
	size: number,
): { text: string; calls: number } {
	const memory = Buffer.alloc(size + 8);
	let text = "";
	for (let calls = 1; ; calls++) {
		const n = input.read(memory, 4, size);
		if (n === -1) return { text, calls };
		expect(n).toBeGreaterThan(0);
		text += memory.toString("latin1", 4, 4 + n);
		expect(memory[4 + size]).toBe(0);
	}
}

describe("what the guest reads", () => {
	test("control records first, then one reading a line, then would-block", () => {
		const input = new TrackedInput();
		input.say("t1700000000000");
		input.load(SIX, 1, 3);
		expect(read(input, 100).text).toBe("\x1et1700000000000\n1\n2\n");
		expect(read(input, 100)).toEqual({ text: "", calls: 1 });
	});

	test("a line feed in a payload is a space: it cannot forge a record", () => {
		const long = `[\n${"1".repeat(200)}\n]`;
		const batch = batchOf(["t", '{"a":\n\x1ec9\n1}'], ["t", long]);
		const input = new TrackedInput();
		input.load(batch, 0, 2);
		expect(read(input, 1000).text).toBe(
			`{"a": \x1ec9 1}\n${long.replaceAll("\n", " ")}\n`,
		);
	});

	test("is the same for every size of its buffer", () => {
		const batch = batchOf(
			["t/1", '{"a":\n1}'],
			["t/1", ""],
			["t/2", "x".repeat(300)],
			["t/%\n", "3"],
		);
		const want =
			'\x1et5\n\x1eTt/1\n{"a": 1}\n\n\x1eTt/2\n' +
			`${"x".repeat(300)}\n\x1eTt/%25%0A\n3\n`;
		for (let size = 1; size < 400; size++) {
			const input = new TrackedInput();
			input.announceTopics();
			input.say("t5");
			input.load(batch, 0, 4);
			expect(read(input, size).text).toBe(want);
		}
	});

	test("whole lines only, as many as fit", () => {
		const input = new TrackedInput();
		input.load(SIX, 0, 6);
		expect(read(input, 5).calls).toBe(4);
	});
});
