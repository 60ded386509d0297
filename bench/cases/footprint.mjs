// What a gateway weighs, what one more filter adds, and how long until it works.
import { setTimeout as delay } from "node:timers/promises";
import { whileAlive } from "../children.mjs";
import { now } from "../load/clock.mjs";
import { openProbe } from "../load/probe.mjs";
import { startMosquitto } from "../mosquitto.mjs";
import { fineCpuOf, memoryOf } from "../proc.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { figure } from "../table.mjs";

/** Idle means: connected, one reading done, then left alone this long. */
export const SETTLE_MS = 1500;
const QUICK_MS = 300;

/** Pipelines on top of the first. */
const EXTRA = 100;

/** Readings that every pipeline sees before "after use" is taken. */
const USE = 300;

/**
 * Starts a subject beside a mosquitto of its own and waits until its first alert is out.
 *
 * @template T
 * @param {import("../subjects.mjs").Subject} subject
 * @param {number} pipelines
 * @param {(started: { pid: number, startMs: number, probe: Awaited<ReturnType<typeof openProbe>> }) => Promise<T>} look
 * @returns {Promise<T>}
 */
async function withStarted(subject, pipelines, look) {
	const mosquitto = await startMosquitto("defaults");
	const probe = await openProbe(mosquitto.port);
	const begun = now();
	const { port } = mosquitto;
	const gateway = await subject.start({ port, qos: 0, pipelines });
	try {
		const { pid, child } = gateway;
		const first = await whileAlive(probe.first, [child], 20_000, subject.name);
		return await look({ pid, startMs: first - begun, probe });
	} finally {
		probe.close();
		await gateway.stop();
		await mosquitto.stop();
	}
}

/**
 * @param {import("../subjects.mjs").Subject} subject
 * @param {number} [idleMs] in which its CPU is counted: it wakes up once in a few seconds
 */
export function weigh(
	subject,
	pipelines = 1,
	settleMs = SETTLE_MS,
	idleMs = settleMs,
) {
	return withStarted(subject, pipelines, async ({ pid, startMs, probe }) => {
		await delay(settleMs);
		const idle = memoryOf(pid);
		const before = fineCpuOf(pid);
		await delay(idleMs);
		const idleCpu = (fineCpuOf(pid) - before) / (idleMs * 1000);
		await probe.send(USE);
		await delay(settleMs);
		return { startMs, idle, idleCpu, used: memoryOf(pid) };
	});
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function footprint(plan) {
	const [gateway] = plan.gateways;
	const settleMs = plan.quick ? QUICK_MS : SETTLE_MS;
	const many = {
		name: `wasieve, ${1 + EXTRA} pipelines`,
		pipelines: 1 + EXTRA,
	};
	const every = [...plan.bridges, ...plan.others];
	const rivals = plan.quick ? every.slice(0, 1) : every;
	const bridges = rivals.map((subject) => ({
		name: subject.name,
		rival: true,
		subject,
		pipelines: 1,
	}));
	const wanted = [
		...(gateway
			? [
					{ name: gateway.name, subject: gateway, pipelines: 1 },
					{ ...many, subject: gateway },
				]
			: []),
		...bridges,
	];
	const samples = await interleave(
		wanted,
		plan.rounds,
		({ subject, pipelines }) => weigh(subject, pipelines, settleMs),
		(line) => plan.say(`footprint, ${line}`),
	);
	const rows = [...samples].map(([{ name }, own]) => [
		name,
		figure(pluck(own, "idle"), 1),
		figure(pluck(own, "used"), 1),
		figure(pluck(own, "startMs"), 0),
	]);
	const [one, hundred] = wanted.map((each) => samples.get(each) ?? []);
	/** @type {import("../table.mjs").Section} */
	const section = {
		title: "Footprint and start",
		note: `Idle: connected to mosquitto, the first readings done, then ${settleMs} ms of nothing. In use: after ${USE} more, each seen by every pipeline. Start: from spawn to the first alert at a subscriber, a reading every 2 ms. All pipelines read the same topics, each with a filter instance and a limit of its own.`,
		columns: ["", "RSS idle MiB", "RSS in use MiB", "start → first alert ms"],
		rows,
		aims: gateway ? aimsOf(one ?? [], hundred ?? []) : [],
	};
	return [section];
}

/**
 * @param {any[]} one
 * @param {any[]} many
 * @returns {import("../table.mjs").Aim[]}
 */
function aimsOf(one, many) {
	const extra = (/** @type {"idle" | "used"} */ key) =>
		many.map((sample, i) => ((sample[key] - one[i][key]) * 1024) / EXTRA);
	return [
		{
			text: "RSS idle",
			aim: "≤ 60 MB",
			values: pluck(one, "idle").map((mib) => mib * 1.048576),
			digits: 1,
			met: (mb) => mb <= 60,
		},
		.../** @type {const} */ (["idle", "used"]).map((key) => ({
			text: `RSS per extra pipeline, ${key === "idle" ? "idle" : "in use"}`,
			aim: "≤ 50 KB",
			values: extra(key).map((kib) => kib * 1.024),
			digits: 0,
			met: (/** @type {number} */ kb) => kb <= 50,
		})),
		{
			text: "gateway start → first alert",
			aim: "≤ 300 ms",
			values: pluck(one, "startMs"),
			digits: 0,
			met: (ms) => ms <= 300,
		},
	];
}
