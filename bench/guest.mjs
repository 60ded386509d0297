/// <reference path="../host/webassembly.d.ts" />
/**
 * The seed rule over readings of 87 bytes in V8: a filter made with the SDK (tracked mode, full
 * RFC 8259 check, outputs written) beside JSON.parse in JavaScript for the same job, in one run.
 *
 *   node bench/guest.mjs [readings, default 400000]
 */
import { fileURLToPath } from "node:url";
import { compileFilter } from "../build/host/cli/compile.js";

const READINGS = Number(process.argv[2] ?? 400_000);
const BATCH = 200;
const SEED = fileURLToPath(
	new URL("../assembly/filters/overheat.ts", import.meta.url),
);

/** @typedef {{ out: number, feed(batch: Buffer): void }} Contender */

/**
 * One output in six readings, as in the facts the aims were set by.
 * @param {number} i
 */
function reading(i) {
	const temperature = (i % 7 === 0 ? 86 : 20) + (i % 100) / 10;
	const humidity = (i % 43 === 0 ? 95.5 : 40) + (i % 40) / 10;
	return `{"device_id":"press-${i % 10}","temperature":${temperature.toFixed(1)},"humidity":${humidity.toFixed(1)},"timestamp":${1700000000000 + i}}`;
}

function batches() {
	const made = [];
	for (let i = 0; i < 20_000; i += BATCH) {
		const lines = Array.from({ length: BATCH }, (_, k) => reading(i + k));
		made.push(Buffer.from(`${lines.join("\n")}\n`));
	}
	return made;
}

const EAGAIN = 6;

/**
 * A module on memory-to-memory stdin and stdout, driven by pump() as the inline engine does.
 * @param {Uint8Array} bytes
 * @returns {Contender}
 */
function start(bytes) {
	/** @type {Buffer | undefined} */
	let input = Buffer.from("\x1eh1 pump\n");
	const wasi = Object.assign(Object.create(null), {
		/** @type {(fd: number, iov: number, count: number, done: number) => number} */
		fd_read(_fd, iov, _count, done) {
			if (input === undefined) return EAGAIN;
			const view = new Uint32Array(memory.buffer);
			new Uint8Array(memory.buffer).set(input, view[iov >> 2]);
			view[done >> 2] = input.length;
			input = undefined;
			return 0;
		},
		/** @type {(fd: number, iov: number, count: number, done: number) => number} */
		fd_write(_fd, iov, _count, done) {
			const view = new Uint32Array(memory.buffer);
			const length = /** @type {number} */ (view[(iov >> 2) + 1]);
			contender.out += length;
			view[done >> 2] = length;
			return 0;
		},
		environ_sizes_get: () => 0,
		environ_get: () => 0,
		proc_exit() {
			throw new Error("the filter ended");
		},
	});
	const module = new WebAssembly.Module(/** @type {BufferSource} */ (bytes));
	const { exports } = new WebAssembly.Instance(module, {
		wasi_snapshot_preview1: wasi,
	});
	const memory = /** @type {WebAssembly.Memory} */ (exports.memory);
	const pump = /** @type {() => void} */ (exports.pump);
	const contender = {
		out: 0,
		/** @param {Buffer} batch */
		feed(batch) {
			input = batch;
			pump();
		},
	};
	/** @type {() => void} */ (exports._start)();
	return contender;
}

/** @returns {Contender} */
function javascript() {
	return {
		out: 0,
		feed(batch) {
			let text = "";
			for (const line of batch.toString().split("\n")) {
				if (line === "") continue;
				const r = JSON.parse(line);
				if (r.temperature > 85)
					text += alert(r, "high_temperature", r.temperature);
				if (r.humidity > 95) text += alert(r, "high_humidity", r.humidity);
			}
			this.out += Buffer.from(text).length;
		},
	};
}

/** @type {(r: { device_id: unknown, timestamp: unknown }, type: string, value: unknown) => string} */
function alert(r, alert_type, value) {
	const { device_id, timestamp } = r;
	return `${JSON.stringify({ device_id, alert_type, value, timestamp })}\n`;
}

/**
 * ns a reading and module sizes: the best of five rounds, each contender's in turn, so that a
 * slow moment of the machine hits all of them.
 */
export async function measureGuest(readings = READINGS) {
	const scalar = (await compileFilter(SEED)).bytes;
	const simd = (await compileFilter(SEED, { simd: true })).bytes;
	const input = batches();
	const contenders = [
		{ name: "JSON.parse", size: 0, ns: Infinity, runs: javascript() },
		{ name: "scalar", size: scalar.length, ns: Infinity, runs: start(scalar) },
		{ name: "SIMD", size: simd.length, ns: Infinity, runs: start(simd) },
	];
	for (let round = 0; round < 6; round++)
		for (const contender of contenders) {
			const ns = time(contender.runs, input, readings);
			if (round > 0) contender.ns = Math.min(contender.ns, ns);
		}
	return contenders.map(({ name, size, ns }) => ({ name, size, ns }));
}

/** @type {(contender: Contender, input: Buffer[], readings: number) => number} */
function time(contender, input, readings) {
	const rounds = Math.ceil(readings / (input.length * BATCH));
	const began = process.hrtime.bigint();
	for (let i = 0; i < rounds; i++)
		for (const batch of input) contender.feed(batch);
	const took = Number(process.hrtime.bigint() - began);
	return took / (rounds * input.length * BATCH);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const results = await measureGuest();
	const slowest = Math.max(...results.map(({ ns }) => ns));
	for (const { name, ns, size } of results) {
		const bytes = size ? `${size} B` : "";
		console.log(
			`${name.padEnd(12)}${ns.toFixed(0).padStart(6)} ns a reading  ${(slowest / ns).toFixed(2)} x  ${bytes}`,
		);
	}
}
