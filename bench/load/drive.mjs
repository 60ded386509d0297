// Drives a gateway through a real broker: a thread sends readings, this one takes the alerts and checks each.
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { between, memoryOf, snapshot } from "../proc.mjs";
import { quantile } from "../stats.mjs";
import { now, SLOT, TIMES } from "./clock.mjs";
import { ALERTS, answeredBy, HOT_EVERY, hotBelow, PROBE } from "./readings.mjs";
import {
	connect,
	PUBLISH,
	pubacks,
	publishParts,
	splitter,
	subscribe,
} from "./wire.mjs";

/** Readings a run may have at most. */
const LIMIT = 20_000_000;

/** How long nothing may arrive before what is missing counts as lost. */
const SILENCE_MS = 4000;

/** How long the gateway may take until its first alert. */
const READY_MS = 15_000;

/**
 * @param {object} options
 * @param {number} options.port of the broker
 * @param {0 | 1} options.qos of readings and alerts
 * @param {{ rate: number } | { window: number }} options.mode open loop at a rate, or closed loop
 * @param {number} options.pid of the gateway
 * @param {number[]} options.crew pid of the broker
 * @param {number} options.warmMs not measured
 * @param {number} options.ms measured
 */
export async function drive({ port, qos, mode, pid, crew, warmMs, ms }) {
	const shared = new SharedArrayBuffer(64);
	const times = new SharedArrayBuffer(TIMES * 8);
	const slots = new Int32Array(shared);
	const ear = await listen(port, qos, slots);
	const worker = new Worker(new URL("./sender.mjs", import.meta.url), {
		workerData: { port, qos, mode, shared, times },
	});
	const broken = new Promise((_, reject) => worker.once("error", reject));
	const finished = new Promise((resolve) => worker.once("exit", resolve));
	try {
		await Promise.race([until(slots, SLOT.begun), broken]);
		const begun = /** @type {number} */ (new Float64Array(times)[0]);
		if ("rate" in mode) ear.timeFrom(begun, warmMs, mode.rate);
		const moments = await Promise.race([
			window(pid, crew, slots, warmMs, ms),
			broken,
		]);
		Atomics.store(slots, SLOT.stop, 1);
		const stopped = now();
		// What waits in the sender's own socket goes out first, and counts as backlog.
		await finished;
		const sent = Atomics.load(slots, SLOT.sent);
		await ear.silence(hotBelow(sent));
		const behind = ear.lastAt() - stopped;
		const seen = report(/** @type {any} */ (moments), ear, sent, pid, times);
		return { ...seen, behind };
	} finally {
		Atomics.store(slots, SLOT.stop, 1);
		await worker.terminate();
		ear.close();
	}
}

/**
 * @param {Int32Array} slots
 * @param {number} slot
 */
async function until(slots, slot) {
	const deadline = now() + READY_MS;
	while (Atomics.load(slots, slot) === 0) {
		if (now() > deadline) throw new Error(`no alert within ${READY_MS} ms`);
		await delay(5);
	}
}

/**
 * @param {number} pid
 * @param {number[]} crew
 * @param {Int32Array} slots
 * @param {number} warmMs
 * @param {number} ms
 */
async function window(pid, crew, slots, warmMs, ms) {
	await delay(warmMs);
	const before = {
		alerts: Atomics.load(slots, SLOT.alerts),
		at: snapshot(pid, crew),
	};
	await delay(ms);
	const after = {
		alerts: Atomics.load(slots, SLOT.alerts),
		at: snapshot(pid, crew),
	};
	return { before, after };
}

/**
 * @param {Awaited<ReturnType<typeof window>>} moments
 * @param {Awaited<ReturnType<typeof listen>>} ear
 * @param {number} sent
 * @param {number} pid
 * @param {SharedArrayBuffer} times
 */
function report({ before, after }, ear, sent, pid, times) {
	const span = between(before.at, after.at);
	const count = (after.alerts - before.alerts) * HOT_EVERY;
	const { alerts, wrong, repeated, latencies } = ear.heard();
	const late = new Float64Array(times)
		.slice(1)
		.filter((ms) => ms > 0)
		.sort();
	return {
		rate: (count / span.ms) * 1000,
		cpu: span.cpu / count,
		cores: span.cores,
		foreign: span.foreign,
		peak: memoryOf(pid, "VmHWM"),
		sent,
		alerts,
		wrong,
		repeated,
		lost: hotBelow(sent) - alerts,
		p50: quantile(latencies, 0.5),
		p99: quantile(latencies, 0.99),
		p999: quantile(latencies, 0.999),
		worst: quantile(latencies, 1),
		late: quantile(late, 0.99),
	};
}

/**
 * Subscribes to the alerts and keeps account of them.
 *
 * @param {number} port
 * @param {0 | 1} qos
 * @param {Int32Array} slots
 */
async function listen(port, qos, slots) {
	const socket = await connect(port, `bench-in-${process.pid}`);
	await subscribe(socket, ALERTS, qos);
	const seen = new Uint8Array(LIMIT / HOT_EVERY);
	/** @type {number[]} */
	const ids = [];
	/** @type {number[]} */
	const latencies = [];
	let wrong = 0;
	let repeated = 0;
	let begun = 0;
	let from = Number.POSITIVE_INFINITY;
	let rate = 1;
	let arrived = 0;

	const split = splitter((bytes, first, at, end) => {
		if (first >> 4 !== PUBLISH) return;
		const { payloadAt, id } = publishParts(bytes, first, at);
		if (id) ids.push(id);
		const n = answeredBy(bytes, at, payloadAt, end);
		if (n >= PROBE) Atomics.store(slots, SLOT.ready, 1);
		else if (n < 0 || n >= LIMIT) wrong++;
		else if (seen[n / HOT_EVERY]) repeated++;
		else {
			seen[n / HOT_EVERY] = 1;
			Atomics.add(slots, SLOT.alerts, 1);
			if (n >= from) latencies.push(arrived - dueAt(n));
		}
	});

	/** @param {number} n */
	function dueAt(n) {
		const together = Math.max(1, Math.round(rate / 1000));
		return begun + (Math.floor(n / together) * together * 1000) / rate;
	}

	socket.on("data", (chunk) => {
		arrived = now();
		split(chunk);
		Atomics.notify(slots, SLOT.alerts);
		if (ids.length > 0) socket.write(pubacks(ids));
		ids.length = 0;
	});

	return {
		/**
		 * @param {number} at when reading 0 was due
		 * @param {number} warmMs
		 * @param {number} perSecond
		 */
		timeFrom(at, warmMs, perSecond) {
			begun = at;
			rate = perSecond;
			from = (warmMs / 1000) * perSecond;
		},
		heard: () => ({
			alerts: Atomics.load(slots, SLOT.alerts),
			wrong,
			repeated,
			latencies: Float64Array.from(latencies).sort(),
		}),
		/** @param {number} expected resolves when that many alerts have come, or none for a while */
		async silence(expected) {
			const count = () => Atomics.load(slots, SLOT.alerts);
			for (let last = -1, at = now(); count() < expected; await delay(5)) {
				if (count() !== last) at = now();
				else if (now() - at > SILENCE_MS) return;
				last = count();
			}
		},
		/** When the latest chunk arrived. */
		lastAt: () => arrived,
		close: () => socket.destroy(),
	};
}
