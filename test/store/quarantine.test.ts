import { fork } from "node:child_process";
import {
	appendFileSync,
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { FailedReading } from "#host/contract.js";
import type { WasieveError } from "#host/errors.js";
import { type FileQuarantine, openQuarantine } from "#host/store/quarantine.js";

const dir = mkdtempSync(join(tmpdir(), "wasieve-quarantine-"));
afterAll(() => rmSync(dir, { recursive: true }));
let files = 0;
const fresh = () => join(dir, `${files++}`, "deep", "a.ndjson");

const warnings: object[] = [];
const log = {
	debug() {},
	info() {},
	warn: (fields: object, message: string) =>
		warnings.push({ ...fields, message }),
	error() {},
};

const open = (file: string, more = {}) =>
	openQuarantine({ file, maxBytes: 2 ** 20, log, ...more });

function failed(
	payload: string | Buffer,
	more: Partial<FailedReading> = {},
): FailedReading {
	return {
		pipeline: "a",
		topic: "plant/7",
		payload: Buffer.from(payload),
		code: "E_GUEST_REJECT",
		reason: "not JSON",
		time: Date.UTC(2026, 0, 31, 12),
		...more,
	};
}

function keep(
	quarantine: FileQuarantine,
	reading: FailedReading,
): Promise<WasieveError | undefined> {
	return new Promise((resolve) => quarantine.keep(reading, resolve));
}

type Entry = { payload?: string; payload_base64?: string };

function entries(file: string): Entry[] {
	const text = readFileSync(file, "utf8");
	expect(text === "" || text.endsWith("\n")).toBe(true);
	return text
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line));
}

describe("a reading that failed", () => {
	test("is one line with all that is known of it", async () => {
		const file = fresh();
		const quarantine = open(file);
		expect(await keep(quarantine, failed('{"t":\n "x"}'))).toBeUndefined();
		await quarantine.close();
		expect(entries(file)).toEqual([
			{
				time: "2026-01-31T12:00:00.000Z",
				pipeline: "a",
				topic: "plant/7",
				code: "E_GUEST_REJECT",
				reason: "not JSON",
				payload: '{"t":\n "x"}',
			},
		]);
	});

	test.each([
		["empty", Buffer.alloc(0), { payload: "" }],
		[
			"control bytes",
			Buffer.from("\u001e\u0000\n\r\u2028"),
			{ payload: "\u001e\u0000\n\r\u2028" },
		],
		[
			"with a byte order mark",
			Buffer.from("\ufeff{}"),
			{ payload: "\ufeff{}" },
		],
		["not UTF-8", Buffer.from([0xff, 0xfe, 0x00]), { payload_base64: "//4A" }],
		[
			"half a character",
			Buffer.from("é").subarray(0, 1),
			{ payload_base64: "ww==" },
		],
	])("payload %s comes back byte for byte", async (_, payload, expected) => {
		const file = fresh();
		const quarantine = open(file);
		await keep(quarantine, failed(payload));
		await quarantine.close();
		const [entry] = entries(file);
		expect(entry).toMatchObject(expected);
		const back =
			entry?.payload === undefined
				? Buffer.from(entry?.payload_base64 ?? "", "base64")
				: Buffer.from(entry.payload);
		expect(back).toEqual(payload);
	});

	test("is copied before keep() returns", async () => {
		const file = fresh();
		const quarantine = open(file);
		const reading = failed("before");
		const kept = keep(quarantine, reading);
		reading.payload.fill(0x78);
		await kept;
		await quarantine.close();
		expect(entries(file)[0]?.payload).toBe("before");
	});

	test("lies where only the gateway may look", async () => {
		const file = fresh();
		const quarantine = open(file);
		await keep(quarantine, failed("x"));
		await quarantine.close();
		expect(statSync(file).mode & 0o777).toBe(0o600);
		expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
	});
});

test("nothing is made before something fails", async () => {
	const file = fresh();
	await open(file).close();
	expect(existsSync(join(file, "..", ".."))).toBe(false);
});

describe("many at once", () => {
	test("all are kept, in order, and close() waits for them", async () => {
		const file = fresh();
		const quarantine = open(file, { maxBytes: 2 ** 30 });
		let kept = 0;
		for (let i = 0; i < 20_000; i++) {
			quarantine.keep(failed(`${i}`), (error) => {
				if (error === undefined) kept++;
			});
		}
		await quarantine.close();
		expect(kept).toBe(20_000);
		expect(entries(file).map(({ payload }) => Number(payload))).toEqual(
			Array.from({ length: 20_000 }, (_, i) => i),
		);
	});

	test("two gateways on one file never write into each other's lines", async () => {
		const file = fresh();
		const both = [open(file), open(file)];
		const kept: Promise<WasieveError | undefined>[] = [];
		for (let i = 0; i < 300; i++) {
			for (const [k, each] of both.entries()) {
				kept.push(keep(each, failed(`${k}:${i}`)));
			}
			if (i % 10 === 0) await kept.at(-1);
		}
		expect(new Set(await Promise.all(kept))).toEqual(new Set([undefined]));
		for (const each of both) await each.close();
		expect(new Set(entries(file).map(({ payload }) => payload)).size).toBe(600);
	});

	test("more than may wait for the disk are refused, the others are kept", async () => {
		const file = fresh();
		const quarantine = open(file, { maxWaiting: 1000 });
		const all = Array.from({ length: 20 }, (_, i) =>
			keep(quarantine, failed(`${i}`)),
		);
		const outcomes = (await Promise.all(all)).map((error) => error?.code);
		await quarantine.close();
		const kept = outcomes.filter((code) => code === undefined).length;
		expect(kept).toBe(entries(file).length);
		expect(kept).toBeGreaterThan(0);
		expect(outcomes.at(-1)).toBe("E_QUARANTINE_WRITE");
	});
});

describe("the size limit", () => {
	const MAX = 64 * 1024;

	test("the oldest make room, are counted and said; the youngest are all there", async () => {
		const file = fresh();
		const quarantine = open(file, { maxBytes: MAX });
		warnings.length = 0;
		const count = 1000;
		for (let i = 0; i < count; i++) {
			expect(
				await keep(quarantine, failed(`${i}`.padEnd(100))),
			).toBeUndefined();
		}
		await quarantine.close();
		const older = entries(`${file}.1`);
		const left = [...older, ...entries(file)].map(({ payload }) =>
			Number(payload),
		);
		expect(left).toEqual(
			Array.from({ length: left.length }, (_, i) => count - left.length + i),
		);
		expect(left.length + quarantine.discarded).toBe(count);
		expect(quarantine.discarded).toBeGreaterThan(0);
		expect(
			statSync(file).size + statSync(`${file}.1`).size,
		).toBeLessThanOrEqual(MAX);
		expect(statSync(`${file}.1`).size).toBeGreaterThan(MAX / 2 - 300);
		expect(warnings[0]).toMatchObject({
			code: "E_QUARANTINE_FULL",
			discarded: older.length,
			message: `the quarantine is full (${MAX} bytes): its ${older.length} oldest readings are gone`,
		});
	});

	test("holds in a burst as well, and over a restart", async () => {
		const file = fresh();
		for (let run = 0; run < 3; run++) {
			const quarantine = open(file, { maxBytes: MAX });
			const burst = Array.from({ length: 500 }, (_, i) =>
				keep(quarantine, failed(`${run}:${i}`.padEnd(100))),
			);
			expect(new Set(await Promise.all(burst))).toEqual(new Set([undefined]));
			await quarantine.close();
			expect(
				statSync(file).size + statSync(`${file}.1`).size,
			).toBeLessThanOrEqual(MAX);
			expect(entries(file).at(-1)?.payload?.trim()).toBe(`${run}:499`);
		}
	});

	test("a reading that can never fit is refused and harms no other", async () => {
		const file = fresh();
		const quarantine = open(file, { maxBytes: MAX });
		const small = keep(quarantine, failed("small"));
		const huge = await keep(quarantine, failed("x".repeat(MAX)));
		expect(huge).toMatchObject({
			code: "E_QUARANTINE_FULL",
			hint: "raise quarantine.maxBytes",
		});
		expect(await small).toBeUndefined();
		await quarantine.close();
		expect(entries(file)).toHaveLength(1);
	});
});

describe("what goes wrong with disks", () => {
	test("full: said for those readings, tried again for later ones", async () => {
		const file = join(dir, "full.ndjson");
		symlinkSync("/dev/full", file);
		const quarantine = open(file);
		const lost = await Promise.all(
			[1, 2, 3].map((i) => keep(quarantine, failed(`${i}`))),
		);
		for (const error of lost) {
			expect(error).toMatchObject({
				code: "E_QUARANTINE_WRITE",
				message: `the quarantine ${file} cannot be written (ENOSPC)`,
			});
		}
		expect(quarantine.error?.code).toBe("E_QUARANTINE_WRITE");
		unlinkSync(file);
		expect(await keep(quarantine, failed("later"))).toBeUndefined();
		expect(quarantine.error).toBeUndefined();
		await quarantine.close();
		expect(entries(file).map(({ payload }) => payload)).toEqual(["later"]);
	});

	test("the folder vanished: made anew", async () => {
		const file = fresh();
		const quarantine = open(file);
		await keep(quarantine, failed("1"));
		rmSync(join(file, "..", ".."), { recursive: true });
		expect(await keep(quarantine, failed("2"))).toBeUndefined();
		await quarantine.close();
		expect(entries(file).map(({ payload }) => payload)).toEqual(["2"]);
	});

	test("moved away by logrotate: goes on in a new file", async () => {
		const file = fresh();
		const quarantine = open(file);
		await keep(quarantine, failed("1"));
		writeFileSync(`${file}.moved`, readFileSync(file));
		unlinkSync(file);
		await keep(quarantine, failed("2"));
		await quarantine.close();
		expect(entries(file).map(({ payload }) => payload)).toEqual(["2"]);
	});

	test("a file stands where the folder should be", async () => {
		const file = fresh();
		mkdirSync(join(file, "..", ".."));
		writeFileSync(join(file, ".."), "");
		const quarantine = open(file);
		expect(await keep(quarantine, failed("x"))).toMatchObject({
			code: "E_QUARANTINE_WRITE",
			message: expect.stringMatching(/\((EEXIST|ENOTDIR)\)$/),
		});
		await quarantine.close();
	});

	test("not writable", async (context) => {
		const file = fresh();
		mkdirSync(join(file, ".."), { recursive: true });
		writeFileSync(file, "");
		chmodSync(file, 0o400);
		if (process.getuid?.() === 0) {
			context.skip(
				"root may write anywhere: the folder that is a file covers it",
			);
		}
		const quarantine = open(file);
		expect((await keep(quarantine, failed("x")))?.message).toMatch(
			/\(EACCES\)$/,
		);
		chmodSync(file, 0o600);
		expect(await keep(quarantine, failed("x"))).toBeUndefined();
		await quarantine.close();
	});

	test("half a line left by a crash is cut off, whole ones stay", async () => {
		const file = fresh();
		const before = open(file);
		await keep(before, failed("1"));
		await before.close();
		appendFileSync(
			file,
			`{"time":"2026-01-31T12:00:00.000Z","pipel${"x".repeat(200_000)}`,
		);
		const after = open(file);
		await keep(after, failed("2"));
		await after.close();
		expect(entries(file).map(({ payload }) => payload)).toEqual(["1", "2"]);
	});

	test("kill -9 in the middle of a flood: what was called kept is there, all lines are whole", async () => {
		const file = fresh();
		const child = fork(new URL("./flood.mjs", import.meta.url), [file]);
		let kept = -1;
		const enough = new Promise<void>((resolve) => {
			child.on("message", (n: number) => {
				kept = Math.max(kept, n);
				if (n > 2000) resolve();
			});
		});
		await enough;
		const gone = new Promise((resolve) => child.on("exit", resolve));
		child.kill("SIGKILL");
		await gone;
		const after = open(file, { maxBytes: 2 ** 30 });
		await keep(after, failed("after"));
		await after.close();
		const found = entries(file).map(({ payload }) => payload?.trim());
		expect(found.at(-1)).toBe("after");
		const numbers = found.slice(0, -1).map(Number);
		expect(numbers).toEqual(
			Array.from({ length: numbers.length }, (_, i) => i),
		);
		expect(numbers.length).toBeGreaterThan(kept);
	});
});
