import fc from "fast-check";
import { expect, test } from "vitest";
import { PlainEar } from "#host/engine/ear.js";

const SIGN = Buffer.from("\nmark me");

/** What is told of chunks of stdout: outputs as they came, "|" for each time the guest is done with its input. */
function hear(chunks: Buffer[], sent = 0): string {
	const ear = new PlainEar(SIGN);
	ear.begin();
	ear.sent(sent);
	let told = "";
	const heard = {
		output: (bytes: Uint8Array) => {
			told += Buffer.from(bytes).toString("latin1");
		},
		settled: () => {
			told += "|";
		},
	};
	for (const chunk of chunks) ear.hear(chunk, heard);
	ear.end(heard);
	return told;
}

function mark(read: number): Buffer {
	const count = Buffer.alloc(4);
	count.writeUInt32LE(read);
	return Buffer.concat([SIGN, count]);
}

test("output that ends as a mark begins is told when the guest is gone", () => {
	expect(hear([Buffer.from("e1\ndoomed\n")])).toBe("e1\ndoomed\n");
	expect(hear([Buffer.from("doomed\nmark")])).toBe("doomed\nmark");
});

test("marks are told apart from output wherever the pipe cuts them", () => {
	const said = Buffer.concat([
		...[mark(0), Buffer.from("a\n\nmark"), mark(2)],
		...[Buffer.from("b\n"), mark(7), Buffer.from("c\nm")],
	]);
	fc.assert(
		fc.property(fc.array(fc.nat(said.length)), (cuts) => {
			const at = [0, ...cuts.sort((a, b) => a - b), said.length];
			const chunks = at.map((from, k) => said.subarray(from, at[k + 1]));
			expect(hear(chunks, 7)).toBe("a\n\nmarkb\n|c\nm");
		}),
	);
});
