import { expect, test } from "vitest";
import { Batch } from "#host/contract.js";
import { encodePayloads } from "#host/pipeline/codec.js";

/** Two readings in a slab, the second with user properties in front of its payload. */
function batchIn(slab: Buffer): Batch {
	const batch = new Batch(4);
	batch.bytes = slab;
	slab.write("s/a", 100_000);
	slab.write("USER", 100_010);
	slab.write('say "hi"', 100_020);
	batch.topicIn.fill(slab);
	batch.topicAt.fill(100_000);
	batch.topicEnd.fill(100_003);
	batch.payloadAt.set([100_020, 100_024]);
	batch.payloadEnd.set([100_023, 100_028]);
	batch.userAt.set([0, 100_010]);
	batch.userEnd.set([0, 100_014]);
	batch.number.set([7, 8]);
	batch.count = 2;
	return batch;
}

test("payloads become JSON strings, the rest of a reading stays", () => {
	const text = encodePayloads(batchIn(Buffer.alloc(200_000)), "text");
	expect([text.payload(0), text.payload(1)].map(String)).toEqual([
		'"say"',
		'"\\"hi\\""',
	]);
	const users = [0, 1].map((i) =>
		text.bytes.toString("utf8", text.userAt[i], text.userEnd[i]),
	);
	expect(users).toEqual(["", "USER"]);
	expect([text.topic(0), text.topic(1)]).toEqual(["s/a", "s/a"]);
	expect([...text.number.subarray(0, 2)]).toEqual([7, 8]);
	const base64 = encodePayloads(batchIn(Buffer.alloc(200_000)), "base64");
	expect(String(base64.payload(0))).toBe('"c2F5"');
});

test("what is made for a few readings is not the size of the slab they came in", () => {
	const slab = Buffer.alloc(200_000);
	expect(encodePayloads(batchIn(slab), "text").bytes.length).toBeLessThan(50);
	const batch = batchIn(slab);
	expect(encodePayloads(batch, "json")).toBe(batch);
});
