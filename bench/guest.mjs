/**
 * The seed rule over readings of 87 bytes in V8: a filter made with the SDK (tracked mode, full
 * RFC 8259 check, outputs written) beside JSON.parse in JavaScript for the same job, in one run.
 *
 *   node bench/guest.mjs [readings, default 400000]
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileFilter } from "../build/host/cli/compile.js";

const READINGS = Number(process.argv[2] ?? 400_000);
const BATCH = 200;
const filter = (name) =>
	fileURLToPath(new URL(`../assembly/filters/${name}.ts`, import.meta.url));

/** One output in six readings, as in the facts the aims were set by. */
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

/** A module on memory-to-memory stdin and stdout, driven by pump() as the inline engine does. */
function start(bytes, tracked) {
	let memory;
	let input = Buffer.from(tracked ? "\x1eh1 pump\n" : "\x1eh0 pump\n");
	const state = { out: 0, feed };
	const wasi = Object.assign(Object.create(null), {
		fd_read(_fd, iov, _n, done) {
			if (input === undefined) return EAGAIN;
			const view = new Uint32Array(memory.buffer);
			new Uint8Array(memory.buffer).set(input, view[iov >> 2]);
			view[done >> 2] = input.length;
			input = undefined;
			return 0;
		},
		fd_write(_fd, iov, _n, done) {
			const view = new Uint32Array(memory.buffer);
			state.out += view[(iov >> 2) + 1];
			view[done >> 2] = view[(iov >> 2) + 1];
			return 0;
		},
		environ_sizes_get: () => 0,
		environ_get: () => 0,
		proc_exit() {
			throw new Error("exit");
		},
	});
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
		wasi_snapshot_preview1: wasi,
	});
	memory = exports.memory;
	exports._start();
	function feed(batch) {
		input = batch;
		exports.pump();
	}
	return state;
}

function javascript() {
	const state = { out: 0, feed };
	function feed(batch) {
		let text = "";
		for (const line of batch.toString().split("\n")) {
			if (line === "") continue;
			const r = JSON.parse(line);
			if (r.temperature > 85)
				text += alert(r, "high_temperature", r.temperature);
			if (r.humidity > 95) text += alert(r, "high_humidity", r.humidity);
		}
		state.out += Buffer.from(text).length;
	}
	return state;
}

function alert(r, alert_type, value) {
	return `${JSON.stringify({ device_id: r.device_id, alert_type, value, timestamp: r.timestamp })}\n`;
}

/** ns a reading: the best of five runs, each contender's in turn, so that a slow moment hits all. */
export async function measureGuest(readings = READINGS) {
	const build = async (options) =>
		(await compileFilter(filter("overheat"), options)).bytes;
	const scalar = process.env.SCALAR
		? readFileSync(process.env.SCALAR)
		: await build({});
	const simd = process.env.SIMD
		? readFileSync(process.env.SIMD)
		: await build({ simd: true });
	const contenders = {
		"JSON.parse": javascript(),
		scalar: start(scalar, true),
		SIMD: start(simd, true),
	};
	const input = batches();
	const best = {};
	for (let round = 0; round < 6; round++) {
		for (const [name, contender] of Object.entries(contenders)) {
			const rounds = Math.ceil(readings / 20_000);
			const began = process.hrtime.bigint();
			for (let i = 0; i < rounds; i++)
				for (const batch of input) contender.feed(batch);
			const ns = Number(process.hrtime.bigint() - began) / (rounds * 20_000);
			if (round > 0)
				best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, ns);
		}
	}
	return { best, size: { scalar: scalar.length, SIMD: simd.length } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { best, size } = await measureGuest();
	for (const [name, ns] of Object.entries(best)) {
		const times = (best["JSON.parse"] / ns).toFixed(2);
		const bytes = size[name] ? `${size[name]} B` : "";
		console.log(
			`${name.padEnd(12)} ${ns.toFixed(0).padStart(6)} ns a reading  ${times} x  ${bytes}`,
		);
	}
}
