// The overheat filter as it is shipped, and built with SIMD.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "./children.mjs";
import { answerOf, HOT_EVERY, payloadOf, topicOf } from "./load/readings.mjs";
import { built, ROOT } from "./subjects.mjs";

export const COUNT = 600;

/** Readings 0..COUNT-1, one a line. */
export const lines = Buffer.from(
	Array.from({ length: COUNT }, (_, n) => `${payloadOf(n)}\n`).join(""),
);

/**
 * @param {string[]} flags of `wasieve build`
 * @returns {string} path of a module made from the shipped source
 */
export function overheatFile(...flags) {
	const { cli } = built();
	const source = join(ROOT, "assembly/filters/overheat.ts");
	const file = join(scratchFolder(), `overheat${flags.join("")}.wasm`);
	if (existsSync(file)) return file; // An earlier suite of this run has built it.
	const args = [cli, "build", source, "-o", file, ...flags];
	execFileSync(process.execPath, args, { cwd: ROOT });
	return file;
}

/** @returns {{ scalar: Buffer, simd: Buffer }} two modules made from the same source */
export function overheat() {
	return {
		scalar: readFileSync(overheatFile()),
		simd: readFileSync(overheatFile("--simd")),
	};
}

/**
 * @param {import("./bare-guest.mjs").BareGuest} guest
 * @throws when it does not answer the hot readings, and only those
 */
export function check(guest) {
	const alerts = guest
		.hear(lines)
		.split("\n")
		.filter((line) => line.startsWith("{"));
	const expected = Array.from({ length: COUNT / HOT_EVERY }, (_, i) =>
		answerOf(i * HOT_EVERY),
	);
	if (alerts.join("\n") !== expected.join("\n"))
		throw new Error(`the filter said ${alerts.slice(0, 3).join("\n")} …`);
}

/**
 * The readings as a source hands them over.
 *
 * @param {typeof import("#host/contract.js").Batch} Batch
 * @param {number} [count]
 * @param {(n: number) => string} [readingOf]
 */
export function batchOf(Batch, count = COUNT, readingOf = payloadOf) {
	const batch = new Batch(count);
	const texts = Array.from({ length: count }, (_, n) => [
		readingOf(n),
		topicOf(n),
	]);
	batch.bytes = Buffer.from(texts.flat().join(""));
	let end = 0;
	for (const [payload = "", topic = ""] of texts) {
		const i = batch.count++;
		batch.payloadAt[i] = end;
		end += payload.length;
		batch.payloadEnd[i] = batch.topicAt[i] = end;
		batch.topicIn[i] = batch.bytes;
		end += topic.length;
		batch.topicEnd[i] = batch.userAt[i] = batch.userEnd[i] = end;
		batch.number[i] = i;
	}
	return batch;
}
