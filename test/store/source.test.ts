import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { fileSource } from "#host/store/ndjson.js";
import { Remembering } from "./outcomes.js";

const dir = mkdtempSync(join(tmpdir(), "wasieve-source-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string | Buffer): string {
	const path = join(dir, name);
	writeFileSync(path, text);
	return path;
}

async function readAll(
	options: Parameters<typeof fileSource>[0],
): Promise<Remembering> {
	const intake = new Remembering();
	const source = fileSource(options);
	await source.start(intake);
	await intake.ended;
	await source.stop();
	await source.close();
	return intake;
}

const chunked = (chunks: readonly string[]) =>
	Readable.from(chunks.map((each) => Buffer.from(each)));

describe("lines become readings", () => {
	test.each([
		["with line ends", "a\nb\n", ["a", "b"]],
		["without the last one", "a\nb", ["a", "b"]],
		["of CR LF", "a\r\nb\r\n", ["a", "b"]],
		["empty ones are none", "\n\na\n\r\n\nb\n\n", ["a", "b"]],
		["nothing at all", "", []],
		["a lone CR inside stays", "a\rb\n", ["a\rb"]],
		["any bytes", "\u{1F600}\u0000\n\u001e", ["\u{1F600}\u0000", "\u001e"]],
	])("%s", async (_, text, expected) => {
		const paths = [file("lines.ndjson", text)];
		const { payloads, readings, ends } = await readAll({
			paths,
			maxReading: 64,
		});
		expect(payloads).toEqual(expected);
		for (const { topic } of readings) expect(topic).toBe("lines.ndjson");
		expect(ends).toBe(1);
	});

	test("several files, one after the other", async () => {
		const paths = [
			file("1.ndjson", "a\nb"),
			file("2.ndjson", ""),
			file("3.ndjson", "c"),
		];
		const { readings } = await readAll({ paths, maxReading: 64 });
		expect(readings).toEqual([
			{ topic: "1.ndjson", payload: "a" },
			{ topic: "1.ndjson", payload: "b" },
			{ topic: "3.ndjson", payload: "c" },
		]);
	});

	test("wherever the chunks are cut", async () => {
		const line = fc
			.string({ unit: "binary", maxLength: 12 })
			.map((s) => s.replaceAll(/[\r\n]/g, ""));
		await fc.assert(
			fc.asyncProperty(
				fc.array(line, { maxLength: 20 }),
				fc.array(fc.nat({ max: 200 }), { maxLength: 12 }),
				async (lines, cuts) => {
					const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(""));
					const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
					const chunks = at
						.slice(1)
						.map((end, i) => bytes.subarray(at[i], end))
						.filter((each) => each.length > 0);
					const stdin = Readable.from(chunks);
					const { payloads, readings } = await readAll({
						stdin,
						maxReading: 1000,
					});
					expect(payloads).toEqual(lines.filter((each) => each !== ""));
					for (const { topic } of readings) expect(topic).toBe("stdin");
				},
			),
			{ numRuns: 60 },
		);
	});

	test("more than a batch in a chunk", async () => {
		const lines = Array.from({ length: 3000 }, (_, i) => `${i}`);
		const paths = [file("many.ndjson", lines.join("\n"))];
		const { payloads, batches } = await readAll({ paths, maxReading: 64 });
		expect(payloads).toEqual(lines);
		expect(Math.max(...batches)).toBe(1024);
	});
});

describe("a line that is too long", () => {
	test.each([
		["in the middle of a chunk", ["ok\n", `${"x".repeat(11)}\nend\n`]],
		["over chunks", ["ok\n", "x".repeat(6), "x".repeat(5), "\nend\n"]],
		["at the end of the input, after another", ["ok\nend\n", "x".repeat(11)]],
		["with CR LF", ["ok\r\n", `${"x".repeat(11)}\r\nend\r\n`]],
	])("%s is refused, the others are not", async (_, chunks) => {
		const { payloads, refused } = await readAll({
			stdin: chunked(chunks),
			maxReading: 10,
		});
		expect(payloads).toEqual(["ok", "end"]);
		expect(refused).toHaveLength(1);
		expect(refused[0]).toMatchObject({
			topic: "stdin",
			code: "E_READING_SIZE",
		});
		expect(refused[0]?.message).toMatch(
			/^the line is 1[12] bytes long, the limit is 10$/,
		);
	});

	test("a line of exactly the limit passes, CR LF or not, cut or not", async () => {
		const line = "x".repeat(10);
		for (const chunks of [
			[`${line}\n`],
			[`${line}\r\n`],
			["xxxxx", "xxxxx\r", "\n"],
			[`${line}\r`],
		]) {
			const { payloads, refused } = await readAll({
				stdin: chunked(chunks),
				maxReading: 10,
			});
			expect(refused).toEqual([]);
			expect(payloads[0]?.replace("\r", "")).toBe(line);
		}
	});

	test("only its beginning is held, however long it is", async () => {
		const part = "y".repeat(64 * 1024);
		const chunks = Array.from({ length: 160 }, () => part); // 10 MB
		const { refused, payloads } = await readAll({
			stdin: chunked([...chunks, "\nend\n"]),
			maxReading: 1000,
		});
		expect(refused).toEqual([
			{
				topic: "stdin",
				size: 64 * 1024,
				code: "E_READING_SIZE",
				message: "the line is 10485760 bytes long, the limit is 1000",
			},
		]);
		expect(payloads).toEqual(["end"]);
	});
});

describe("the line rules the pace", () => {
	test("pause() within take(): not one batch more until resume()", async () => {
		const lines = Array.from({ length: 2500 }, (_, i) => `${i}`);
		const stdin = chunked([lines.join("\n")]);
		const source = fileSource({ stdin, maxReading: 64 });
		const intake = new Remembering();
		const paused = new Promise<void>((resolve) => {
			intake.onTake = () => {
				source.pause();
				resolve();
			};
		});
		await source.start(intake);
		await paused;
		await new Promise(setImmediate);
		expect(intake.readings).toHaveLength(1024);
		intake.onTake = () => {};
		source.resume();
		await intake.ended;
		expect(intake.payloads).toEqual(lines);
	});

	test("resume() from within take() is as good", async () => {
		const lines = Array.from({ length: 2500 }, (_, i) => `${i}`);
		const source = fileSource({
			stdin: chunked([lines.join("\n")]),
			maxReading: 64,
		});
		const intake = new Remembering();
		intake.onTake = () => {
			source.pause();
			source.resume();
		};
		await source.start(intake);
		await intake.ended;
		expect(intake.payloads).toEqual(lines);
	});

	test("a paused source reads no more than its buffers from a fast writer", async () => {
		const stdin = new PassThrough({ highWaterMark: 1024 });
		const source = fileSource({ stdin, maxReading: 64 });
		source.pause();
		await source.start(new Remembering());
		let taken = 0;
		while (stdin.write(`${"z".repeat(63)}\n`)) taken += 64;
		expect(taken).toBeLessThan(4096);
		await source.close();
	});

	test("stop(): nothing more, and no end", async () => {
		const stdin = new PassThrough();
		const source = fileSource({ stdin, maxReading: 64 });
		const intake = new Remembering();
		const first = new Promise<void>((resolve) => {
			intake.onTake = () => resolve();
		});
		await source.start(intake);
		stdin.write("a\n");
		await first;
		await source.stop();
		stdin.write("b\n");
		stdin.end();
		await new Promise(setImmediate);
		expect(intake.payloads).toEqual(["a"]);
		expect(intake.ends).toBe(0);
		await source.close();
	});
});

describe("files that cannot be read", () => {
	test.each([
		["none.ndjson", "ENOENT"],
		["", "EISDIR"],
	])("%j, said by start(), be it the first or the last", async (name, code) => {
		const good = file("good.ndjson", "a\n");
		const bad = join(dir, name);
		for (const paths of [
			[bad, good],
			[good, bad],
		]) {
			const source = fileSource({ paths, maxReading: 64 });
			await expect(source.start(new Remembering())).rejects.toMatchObject({
				code: "E_FILE_READ",
				message: `${bad} cannot be read (${code})`,
			});
		}
	});

	test("a stream that breaks: what came counts, health says why, the end comes", async () => {
		const stdin = new PassThrough();
		const intake = new Remembering();
		intake.onTake = () => {
			stdin.destroy(Object.assign(new Error("gone"), { code: "EIO" }));
		};
		await fileSource({ stdin, maxReading: 64 }).start(intake);
		stdin.write("a\nb");
		await intake.ended;
		expect(intake.payloads).toEqual(["a", "b"]);
		expect(intake.health_).toEqual(["stdin cannot be read (EIO)"]);
	});
});
