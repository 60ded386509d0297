import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import type { Sink } from "#host/contract.js";
import { fileSink } from "#host/store/ndjson.js";
import { Keeping, NO_PROPERTIES } from "./outcomes.js";

const dir = mkdtempSync(join(tmpdir(), "wasieve-sink-"));
afterAll(() => rmSync(dir, { recursive: true }));
let files = 0;
const fresh = () => join(dir, `${files++}.ndjson`);

function write(sink: Sink, n: number, text: string): void {
	const bytes = Buffer.from(`…${text}…`);
	sink.write(n, bytes, 3, bytes.length - 3, NO_PROPERTIES);
	bytes.fill(0); // it was valid only during the call
}

/** Everything that ended up in the sink. */
interface Place {
	sink: Sink;
	text(): string;
}

const PLACES: [string, () => Place][] = [
	[
		"a file",
		() => {
			const path = fresh();
			const text = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
			return { sink: fileSink({ path }), text };
		},
	],
	[
		"a stream",
		() => {
			const stdout = new PassThrough();
			const chunks: Buffer[] = [];
			stdout.on("data", (chunk) => chunks.push(chunk));
			const text = () => Buffer.concat(chunks).toString();
			return { sink: fileSink({ stdout }), text };
		},
	],
];

describe.each(PLACES)("lines into %s", (_, place) => {
	test("each is delivered, in order, once it is there", async () => {
		const { sink, text } = place();
		const keeper = new Keeping();
		await sink.start(keeper);
		write(sink, 1, '{"a":1}');
		write(sink, 1, '{"b":2}');
		write(sink, 2, "");
		sink.commit();
		expect(keeper.numbers).toEqual([]);
		await sink.drain();
		expect(keeper.numbers).toEqual([1, 1, 2]);
		expect(keeper.settled).toBe(1);
		expect(text()).toBe('{"a":1}\n{"b":2}\n\n');
		await sink.close();
	});

	test("what is not committed is not written, what is rolled back never", async () => {
		const { sink, text } = place();
		const keeper = new Keeping();
		await sink.start(keeper);
		write(sink, 1, "kept");
		sink.commit();
		write(sink, 2, "forgotten");
		sink.rollback();
		write(sink, 3, "open");
		await sink.drain();
		expect(text()).toBe("kept\n");
		sink.commit();
		write(sink, 4, "never");
		await sink.drain();
		sink.rollback();
		await sink.close();
		expect(text()).toBe("kept\nopen\n");
		expect(keeper.numbers).toEqual([1, 3]);
	});

	test("a flood: ready turns false, then true again, and nothing is lost or mixed", async () => {
		const { sink, text } = place();
		const keeper = new Keeping();
		await sink.start(keeper);
		const long = "x".repeat(100_000);
		for (let n = 0; n < 25; n++) {
			write(sink, n, `${n}${long}`);
			sink.commit();
		}
		expect(sink.ready).toBe(false);
		await sink.drain();
		expect(sink.ready).toBe(true);
		expect(keeper.readies).toBe(1);
		expect(keeper.numbers).toEqual(Array.from({ length: 25 }, (_, n) => n));
		expect(text()).toBe(keeper.numbers.map((n) => `${n}${long}\n`).join(""));
		await sink.close();
	});
});

describe("files", () => {
	test("are appended to, behind the last whole line", async () => {
		const path = fresh();
		writeFileSync(path, "old\nhalf a li");
		const sink = fileSink({ path });
		await sink.start(new Keeping());
		write(sink, 1, "new");
		sink.commit();
		await sink.close();
		expect(readFileSync(path, "utf8")).toBe("old\nnew\n");
	});

	test("that cannot be opened are said by start()", async () => {
		const path = join(dir, "folder.ndjson");
		mkdirSync(path);
		await expect(fileSink({ path }).start(new Keeping())).rejects.toMatchObject(
			{
				code: "E_FILE_WRITE",
				message: `${path} cannot be written (EISDIR)`,
			},
		);
	});

	test("on a full disk: held, tried again, delivered when there is room", async () => {
		const path = fresh();
		symlinkSync("/dev/full", path);
		const sink = fileSink({ path, retry: 5 });
		const keeper = new Keeping();
		await sink.start(keeper);
		write(sink, 1, "patient");
		sink.commit();
		await keeper.told(2);
		expect(keeper.troubles[0]).toBe(`${path} cannot be written (ENOSPC)`);
		expect(sink.ready).toBe(false);
		expect(keeper.numbers).toEqual([]);
		unlinkSync(path); // the disk is emptied: from now on a real file
		await sink.drain();
		expect(keeper.numbers).toEqual([1]);
		expect(keeper.lost).toEqual([]);
		expect(keeper.troubles.at(-1)).toBeUndefined();
		expect(sink.ready).toBe(true);
		expect(readFileSync(path, "utf8")).toBe("patient\n");
		await sink.close();
	});

	test("on a full disk that stays full, close() ends the waiting and nothing is called delivered", async () => {
		const path = fresh();
		symlinkSync("/dev/full", path);
		const sink = fileSink({ path, retry: 3_600_000 });
		const keeper = new Keeping();
		await sink.start(keeper);
		write(sink, 1, "x");
		sink.commit();
		await keeper.told(1);
		await sink.close();
		expect(keeper.numbers).toEqual([]);
		expect(keeper.lost).toEqual([]);
	});

	test("that were moved away are made anew", async () => {
		const path = fresh();
		const sink = fileSink({ path });
		await sink.start(new Keeping());
		unlinkSync(path);
		write(sink, 1, "again");
		sink.commit();
		await sink.close();
		expect(readFileSync(path, "utf8")).toBe("again\n");
	});

	test("of others keep their mode; new ones are the gateway's own", async () => {
		const path = fresh();
		writeFileSync(path, "");
		chmodSync(path, 0o644);
		const sink = fileSink({ path });
		await sink.start(new Keeping());
		write(sink, 1, "x");
		sink.commit();
		await sink.close();
		expect(readFileSync(path, "utf8")).toBe("x\n");
	});
});

describe("streams", () => {
	test("a broken pipe: what is left and what follows is undeliverable, with its bytes", async () => {
		const stdout = new Writable({
			write(_chunk, _encoding, done) {
				done(Object.assign(new Error("closed"), { code: "EPIPE" }));
			},
		});
		const sink = fileSink({ stdout });
		const keeper = new Keeping();
		await sink.start(keeper);
		write(sink, 1, "a");
		sink.commit();
		await sink.drain();
		write(sink, 2, "b");
		sink.commit();
		await sink.drain();
		expect(keeper.lost).toEqual([
			{ n: 1, code: "E_FILE_WRITE", payload: "a" },
			{ n: 2, code: "E_FILE_WRITE", payload: "b" },
		]);
		expect(keeper.troubles).toEqual(["stdout cannot be written (EPIPE)"]);
		expect(sink.ready).toBe(true);
		await sink.close();
	});

	test("a slow reader: delivered when the stream has taken it, not before; the stream stays open", async () => {
		const taken: (() => void)[] = [];
		const stdout = new Writable({
			write(_chunk, _encoding, done) {
				taken.push(done);
			},
		});
		const sink = fileSink({ stdout });
		const keeper = new Keeping();
		await sink.start(keeper);
		write(sink, 1, "a");
		sink.commit();
		await new Promise(setImmediate);
		expect(keeper.numbers).toEqual([]);
		taken[0]?.();
		await sink.drain();
		expect(keeper.numbers).toEqual([1]);
		await sink.close();
		expect(stdout.writableEnded).toBe(false);
	});
});
