import { expect, test } from "vitest";
import { Batch } from "#host/contract.js";

test("copies made while a batch is lent have all but their numbers in common", () => {
	const batch = batchOf("a", "bb", "ccc");
	const copies: Batch[] = [];
	batch.lend(() => {
		for (const first of [0, 100]) {
			for (let i = 0; i < batch.count; i++) batch.number[i] = first + i;
			copies.push(batch.copy(1, 3), batch.copy(1, 3));
		}
	});
	const [one, two, three] = copies as [Batch, Batch, Batch];
	expect(one.bytes).toBe(three.bytes);
	expect(copies.map((each) => [...each.number])).toEqual([
		[1, 2],
		[1, 2],
		[101, 102],
		[101, 102],
	]);
	expect(payloads(three)).toEqual(["bb", "ccc"]);
	two.number[0] = 7;
	expect(one.number[0]).toBe(1);
	expect(payloads(three.copy(1))).toEqual(["ccc"]);
});

test("another part is another copy, and so is what is copied later", () => {
	const batch = batchOf("a", "bb");
	batch.lend(() => {
		expect(payloads(batch.copy(0, 1))).toEqual(["a"]);
		expect(payloads(batch.copy())).toEqual(["a", "bb"]);
		expect(payloads(batch.copy(1))).toEqual(["bb"]);
	});
	batch.bytes.write("zzz");
	batch.lend(() => expect(payloads(batch.copy())).toEqual(["z", "zz"]));
	expect(payloads(batch.copy())).toEqual(["z", "zz"]);
	expect(batch.copy().bytes).not.toBe(batch.copy().bytes);
});

function batchOf(...texts: string[]): Batch {
	const batch = new Batch(texts.length);
	batch.bytes = Buffer.from(texts.join(""));
	let at = 0;
	for (const [i, text] of texts.entries()) {
		batch.payloadAt[i] = at;
		at += text.length;
		batch.payloadEnd[i] = at;
	}
	batch.count = texts.length;
	return batch;
}

function payloads(batch: Batch): string[] {
	return Array.from({ length: batch.count }, (_, i) =>
		batch.payload(i).toString(),
	);
}
