// The groups, in the order they run. Each is loaded when its turn comes: one that does not fit an older host
// (--against) leaves the others alone.

/**
 * @typedef {object} Group
 * @property {(plan: import("./run.mjs").Plan) => Promise<import("./table.mjs").Section[]>} run
 * @property {boolean} [broker] needs mosquitto
 * @property {true} [counted] the same however busy the machine is: once is enough
 * @property {boolean} [rival] is worth running for the rivals alone
 */

/** @type {Readonly<Record<string, Group>>} */
export const GROUPS = {
	capacity: {
		run: async (plan) => (await import("./cases/capacity.mjs")).capacity(plan),
		rival: true,
	},
	"capacity-by": {
		run: async (plan) =>
			(await import("./cases/capacity-by.mjs")).capacityBy(plan),
	},
	"end-to-end": {
		run: async (plan) =>
			(await import("./cases/end-to-end.mjs")).endToEnd(plan),
		rival: true,
	},
	"highest-rate": {
		run: async (plan) =>
			(await import("./cases/highest-rate.mjs")).highestRate(plan),
		rival: true,
	},
	latency: {
		run: async (plan) => (await import("./cases/latency.mjs")).latency(plan),
		rival: true,
	},
	footprint: {
		run: async (plan) =>
			(await import("./cases/footprint.mjs")).footprint(plan),
		rival: true,
		broker: true,
	},
	"cold-start": {
		run: async (plan) =>
			(await import("./cases/cold-start.mjs")).coldStart(plan),
	},
	micro: {
		run: async (plan) => (await import("./cases/micro.mjs")).micro(plan),
	},
	"in-module": {
		run: async (plan) => (await import("./cases/in-module.mjs")).inModule(plan),
	},
	cost: {
		run: async (plan) => (await import("./cases/cost.mjs")).cost(plan),
		counted: true,
	},
	size: {
		run: async (plan) => (await import("./cases/size.mjs")).size(plan),
		counted: true,
	},
	scale: {
		run: async (plan) => (await import("./cases/scale.mjs")).scale(plan),
	},
	soak: {
		run: async (plan) => (await import("./cases/soak.mjs")).soak(plan),
		broker: true,
	},
};
