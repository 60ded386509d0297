// The highest rate that nothing is lost at and nothing piles up: an open loop, tried faster and slower.
import { BROKERS } from "../brokers.mjs";
import { notRun } from "../reasons.mjs";
import { absentOf, interleave, pluck } from "../rounds.mjs";
import { figure } from "../table.mjs";
import { QOS, subjectsFor, WINDOW } from "./end-to-end.mjs";
import { driveThrough, faultOf } from "./through.mjs";

/** The search ends when what passed and what did not are this close, or after so many trials. */
const CLOSE = 1.05;
const TRIALS = 7;
const TRIALS_QUICK = 3;

/** A rate is carried when the last alert comes this soon after the last reading, ms, … */
const BEHIND_MS = 100;
/** … and alerts come at the rate at which readings were due, or this share of it. */
const KEPT = 0.97;

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function highestRate(plan) {
	/** @type {import("../table.mjs").Section} */
	const section = {
		title: "Highest rate without loss or backlog",
		columns: ["", "broker", "QoS", "msg/s"],
		rows: [],
	};
	const absent = [];
	const brokers = Object.entries(BROKERS);
	for (const [name, { kind, why }] of plan.quick
		? brokers.slice(0, 1)
		: brokers) {
		if (why()) absent.push({ name, why: why() });
		else
			for (const qos of QOS)
				absent.push(...(await addRows(section, name, kind, qos, plan)));
	}
	section.note = `An open loop at a fixed rate, tried faster and slower until the highest that was carried and the lowest that was not are within ${percent(CLOSE - 1)} %. Carried, at the first or second try: every alert came once and right, the last within ${BEHIND_MS} ms after the last reading, at ${percent(KEPT)} % of the rate or more. Broker, load and gateway share the machine: it is the limit of all three.${notRun(absent)}`;
	return [section];
}

/** @param {number} share */
const percent = (share) => Math.round(share * 100);

/**
 * @param {import("../table.mjs").Section} section
 * @param {string} name
 * @param {import("../brokers.mjs").BrokerKind} broker
 * @param {0 | 1} qos
 * @param {import("../run.mjs").Plan} plan
 */
async function addRows(section, name, broker, qos, plan) {
	const span = { warmMs: plan.warmMs / 4, ms: plan.quick ? 500 : 1500 };
	/** @type {Map<unknown, number>} where the search begins: at what the last one found */
	const known = new Map();
	const samples = await interleave(
		subjectsFor(name, plan).filter((each) => each !== plan.bridges[0]),
		plan.rounds,
		async (subject) => {
			const run = (/** @type {any} */ mode) =>
				driveThrough(subject, { broker, qos, mode }, span);
			const first =
				known.get(subject) ??
				(await run({ window: WINDOW })).rate / (plan.quick ? 2 : 1);
			const trial = async (/** @type {number} */ rate) =>
				isCarried(await run({ rate }), rate);
			const rate = await search(
				async (rate) => {
					// A hiccup of the machine is no limit: what fails is tried once more.
					const carried = (await trial(rate)) || (await trial(rate));
					plan.say(`  ${rate} msg/s: ${carried ? "carried" : "not carried"}`);
					return carried;
				},
				first,
				plan.quick ? TRIALS_QUICK : TRIALS,
			);
			known.set(subject, rate);
			return { rate };
		},
		(line) => plan.say(`${name} QoS ${qos}, highest rate, ${line}`),
	);
	for (const [subject, own] of samples)
		if (own.length > 0)
			section.rows.push([
				subject.name,
				name,
				String(qos),
				figure(pluck(own, "rate"), 0),
			]);
	return absentOf(samples, `${name}, QoS ${qos}`);
}

/**
 * @param {any} sample
 * @param {number} rate that was asked for
 */
function isCarried(sample, rate) {
	return (
		!faultOf(sample) && sample.behind <= BEHIND_MS && sample.rate >= KEPT * rate
	);
}

/**
 * @param {(rate: number) => Promise<boolean>} isCarried
 * @param {number} first the rate that is tried first
 * @param {number} [trials] at most
 * @returns {Promise<number>} the highest that was carried, a multiple of 1,000
 * @throws when none was
 */
export async function search(isCarried, first, trials = TRIALS) {
	let good = 0;
	let bad = Number.POSITIVE_INFINITY;
	let next = first;
	for (let trial = 0; trial < trials && bad / good > CLOSE; trial++) {
		const rate = Math.max(1000, Math.round(next / 1000) * 1000);
		if (await isCarried(rate)) good = Math.max(good, rate);
		else bad = Math.min(bad, rate);
		if (bad === Number.POSITIVE_INFINITY) next = good * 1.2;
		else next = good === 0 ? bad * 0.7 : Math.sqrt(good * bad);
	}
	if (good === 0) throw new Error(`nothing from ${bad} msg/s up is carried`);
	return good;
}
