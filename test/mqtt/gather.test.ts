import { beforeEach, describe, expect, test } from "vitest";
import { Flow } from "#host/mqtt/flow.js";
import { Gather } from "#host/mqtt/gather.js";

/** A thread on a clock of its own: sleeping moves the clock, the test ends the turns. */
class FakeThread {
	time = 1000;
	readonly rests: number[] = [];
	#ends: (() => void)[] = [];

	now = () => this.time;
	afterTurn = (task: () => void) => void this.#ends.push(task);
	sleep = (ms: number) => {
		this.time += ms;
		this.rests.push(ms);
	};

	/** Ends the turn; returns how long the thread slept. */
	end(): number {
		const before = this.rests.length;
		for (const task of this.#ends.splice(0)) task();
		return this.rests.slice(before).reduce((sum, ms) => sum + ms, 0);
	}
}

let thread: FakeThread;
let gather: Gather;
beforeEach(() => {
	thread = new FakeThread();
	gather = new Gather(1, thread);
});

/** Steady readings of 100 bytes for `ms`, each turn reading all that came since the last; what the thread slept in the last turn. */
function flow(
	perMs: number,
	ms: number,
	{ bytes = 100, idle = 0.2, one = new Flow(gather), open = 0 } = {},
): number {
	let slept = 0;
	let read = thread.time;
	for (const end = thread.time + ms; thread.time < end; ) {
		thread.time += idle;
		const count = Math.max(1, Math.round((thread.time - read) * perMs));
		read = thread.time;
		one.took(count, count * bytes, open && open + count, false);
		slept = thread.end();
	}
	return slept;
}

describe("when a thread rests", () => {
	test.each([0.1, 1, 2, 3])("not at %d readings/ms", (rate) => {
		flow(rate, 200, { idle: 1 / rate });
		expect(thread.rests).toEqual([]);
		expect(gather.on).toBe(false);
	});

	test.each([5, 20, 80])(
		"1 ms a turn at %d readings/ms, after 16 ms",
		(rate) => {
			const from = thread.time;
			flow(rate, 16);
			expect(thread.rests).toEqual([]);
			expect(flow(rate, 100)).toBe(1);
			expect(thread.time - from).toBeGreaterThan(100);
		},
	);

	test("not in a flood: full chunks need no company", () => {
		expect(flow(2000, 100)).toBe(0);
		expect(flow(20, 100, { bytes: 16 * 1024 })).toBe(0);
	});

	test("shorter, where 1 ms would fill the socket's buffer", () => {
		expect(flow(50, 100, { bytes: 1000 })).toBeCloseTo(0.66, 1);
	});

	test("not after a turn that brought much: there is more", () => {
		const one = new Flow(gather);
		flow(20, 100, { one });
		one.took(400, 40_000, 0, false);
		expect(thread.end()).toBe(0);
		one.took(20, 2_000, 0, false);
		expect(thread.end()).toBe(1);
	});

	test("not while the line wants no more: what it waits for may come any moment", () => {
		const one = new Flow(gather);
		flow(20, 100, { one });
		one.took(20, 2_000, 0, true);
		expect(thread.end()).toBe(0);
	});

	test("not any more when the flow has ebbed", () => {
		flow(20, 100);
		expect(gather.on).toBe(true);
		thread.time += 500;
		expect(flow(1, 10, { idle: 1 })).toBe(0);
		expect(gather.on).toBe(false);
	});

	test("never where something on the thread must not wait", () => {
		flow(20, 100);
		gather.never();
		const before = thread.rests.length;
		flow(20, 100);
		expect(thread.rests.length).toBe(before);
	});

	test("never with 0", () => {
		gather = new Gather(0, thread);
		flow(20, 100);
		expect(thread.rests).toEqual([]);
	});

	test("by the sum of all connections: it is the thread that wakes up", () => {
		const flows = Array.from({ length: 10 }, () => new Flow(gather));
		for (let i = 0; i < 100; i++) {
			thread.time += 1;
			for (const one of flows) one.took(1, 100, 0, false);
			thread.end();
		}
		expect(gather.on).toBe(true);
		expect(thread.rests.length).toBeGreaterThan(50);
	});
});

describe("a broker that waits for acknowledgements", () => {
	/**
	 * Readings come at `perMs` as long as fewer than `window` are unacknowledged; each is acknowledged
	 * in the turn after the one that took it, since its output has to come back first.
	 * @param beside readings/ms of another connection at QoS 0, which is read in every turn
	 */
	function carried(
		perMs: number,
		window: number,
		ms: number,
		beside = 0,
	): number {
		const one = new Flow(gather);
		const other = new Flow(gather);
		const turns = 0.15;
		// Beside another one as many have waited: it begins with a full window.
		let [due, open, taken, answered] = [beside && window, 0, 0, 0];
		let last = thread.time;
		for (const end = thread.time + ms; thread.time < end; ) {
			thread.time += turns;
			const passed = thread.time - last;
			due += passed * perMs;
			last = thread.time;
			const count = Math.min(Math.floor(due), window - open);
			due -= count;
			const before = open - answered;
			answered = count;
			open = before + count;
			taken += count;
			if (count > 0) one.took(count, count * 100, open, false);
			const others = Math.round(passed * beside);
			if (others > 0) other.took(others, others * 100, 0, false);
			thread.end();
			open -= Math.max(0, before);
			answered = 0;
		}
		return taken / ms;
	}

	test.each([
		[5, 20],
		[10, 20],
		[20, 20],
		[20, 100],
		[40, 1000],
	])("%d readings/ms with a window of %d are all carried", (rate, window) => {
		carried(rate, window, 300); // until it knows
		expect(carried(rate, window, 300)).toBeGreaterThan(rate * 0.97);
	});

	test.each([
		[10, 20],
		[15, 20],
		[30, 100],
	])(
		"also beside a fast flow of QoS 0, whose turns bring nothing of theirs",
		(rate, window) => {
			carried(rate, window, 300, 20);
			expect(carried(rate, window, 300, 20)).toBeGreaterThan(rate * 0.97);
		},
	);

	test("a slow one beside a fast flow of QoS 0 costs no rests", () => {
		carried(1, 20, 300, 20);
		const before = thread.rests.length;
		carried(1, 20, 300, 20);
		expect(thread.rests.length - before).toBeGreaterThan(200);
	});

	test("one that is gone is forgotten", () => {
		carried(20, 20, 300, 20);
		flow(20, 50);
		expect(flow(20, 100)).toBe(1);
	});

	test("a full window of outputs allows rests that it lasts for", () => {
		flow(20, 100);
		gather.full(1000);
		expect(flow(20, 1)).toBe(1);
		gather.full(40);
		expect(flow(20, 1)).toBeCloseTo(0.5, 1);
		gather.full(20);
		expect(flow(20, 1)).toBe(0);
		flow(20, 50);
		expect(flow(20, 1)).toBe(1);
	});

	test("a large window is used for full rests", () => {
		carried(20, 1000, 300);
		const [probe, ...rests] = thread.rests;
		expect(probe).toBe(4);
		expect(rests.every((ms) => ms > 0.9)).toBe(true);
		expect(rests.length).toBeGreaterThan(150);
	});

	test("a small one ends in next to none but for the probes, which get rare", () => {
		carried(20, 20, 10_000);
		const probes = thread.rests.filter((ms) => ms > 0.5);
		expect(probes).toEqual([4, 4, 4, 4]); // at once, after 1, 3 and 7 s
		expect(thread.rests.length).toBeLessThan(100);
	});
});

describe("tasks for the end of the turn", () => {
	test("run at once while the thread does not gather", () => {
		const done: string[] = [];
		gather.last(() => done.push("now"));
		expect(done).toEqual(["now"]);
	});

	test("run before the rest, in order, with those that they add", () => {
		const one = new Flow(gather);
		flow(20, 100, { one });
		const done: unknown[] = [];
		one.took(20, 2000, 0, false);
		const rested = thread.rests.length;
		gather.last(() => {
			done.push("answer", thread.rests.length - rested);
			gather.last(() => done.push("more"));
		});
		gather.last(() => done.push("flush"));
		expect(done).toEqual([]);
		thread.end();
		expect(done).toEqual(["answer", 0, "flush", "more"]);
		expect(thread.rests.length).toBe(rested + 1);
	});

	test("are not each other's when one of them throws: they run, and so do those of later turns", () => {
		const one = new Flow(gather);
		flow(20, 100, { one });
		const done: string[] = [];
		one.took(20, 2000, 0, false);
		gather.last(() => {
			throw new Error("a defect");
		});
		gather.last(() => done.push("this turn's"));
		expect(() => thread.end()).toThrow("a defect");
		gather.last(() => done.push("the next one's"));
		thread.end();
		expect(done).toEqual(["this turn's", "the next one's"]);
		expect(flow(20, 10, { one })).toBe(1);
	});

	test("a turn that read nothing does not rest", () => {
		flow(20, 100);
		gather.last(() => {});
		expect(thread.end()).toBe(0);
	});
});

describe("a broker that waits for TCP acknowledgements", () => {
	test("is noticed by silence and then everything at once", () => {
		const one = new Flow(gather);
		flow(20, 100, { one });
		expect(one.held).toBe(false);
		thread.time += 39;
		one.took(800, 80_000, 0, false);
		expect(one.held).toBe(true);
		flow(20, 29_000, { one });
		expect(one.held).toBe(true);
		flow(20, 2_000, { one });
		expect(one.held).toBe(false);
	});

	test("is not suspected when few readings come after a silence", () => {
		const one = new Flow(gather);
		flow(20, 100, { one });
		thread.time += 39;
		one.took(5, 500, 0, false);
		expect(one.held).toBe(false);
	});
});
