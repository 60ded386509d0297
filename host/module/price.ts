import { FREE_STEPS, type Stretch, type Weighed } from "./weigh.js";

/** One unit of fuel pays for this many steps: about 3 ns of today's processors. */
export const STEPS_PER_UNIT = 16;
/** What a call of the host costs the caller besides what the host itself charges, in steps. */
const HOST_CALL = 512;
/** Far beyond any tank, and with it no sum leaves an i32. */
const UNITS_MAX = 2 ** 30;

/** What a function pays. */
export interface Price {
	/** Units at its entry; 0: its callers pay for it. */
	entry: number;
	/** Units at each jump back to, or arrival at, the head of loop k of {@link Weighed}. */
	loops: number[];
}

/**
 * Prices for all functions. A function without loops that calls only such functions (and no
 * circle of calls, no call through a table) costs at most a constant. While that is below
 * {@link FREE_STEPS}, its callers pay it as if it were written out in them, and it has no
 * charge of its own: in a filter most calls are of this kind.
 *
 * @param imported number of imported functions, which come first in the index space
 */
export function priceAll(
	functions: readonly Weighed[],
	imported: number,
): Price[] {
	const free = findFree(functions, imported);
	return functions.map((each, k) => {
		const steps = addUp(each, (callee) => stepsOfCall(callee, imported, free));
		return {
			entry: (free[k] as number) > 0 ? 0 : units(steps(each.body)),
			loops: each.loops.map((loop) => units(steps(loop))),
		};
	});
}

function units(steps: number): number {
	return Math.min(Math.ceil(steps / STEPS_PER_UNIT), UNITS_MAX);
}

/**
 * Steps of a stretch with all it calls, and of the first pass of each loop inside it that
 * pays for the others itself. Each sum is kept: nesting may be as deep as a file is long.
 */
function addUp(
	{ body }: Weighed,
	stepsOf: (callee: number) => number,
): (stretch: Stretch) => number {
	const sums = new Map<Stretch, number>();
	const order: Stretch[] = [body];
	for (const stretch of order) {
		for (const loop of stretch.inner) order.push(loop);
	}
	for (const stretch of order.reverse()) {
		let sum = stretch.steps;
		for (const callee of stretch.calls) sum += stepsOf(callee);
		for (const loop of stretch.inner) {
			if (loop.pays === "back") sum += sums.get(loop) as number;
		}
		sums.set(stretch, sum);
	}
	return (stretch) => sums.get(stretch) as number;
}

/** Steps the caller pays: nothing for a function that pays for itself. */
function stepsOfCall(
	callee: number,
	imported: number,
	free: readonly number[],
): number {
	return callee < imported ? HOST_CALL : (free[callee - imported] as number);
}

/** Steps of each function that is free, 0 for those that pay for themselves. */
function findFree(functions: readonly Weighed[], imported: number): number[] {
	const free = functions.map(() => 0);
	const callers: number[][] = functions.map(() => []);
	const waitsFor: number[] = functions.map((each) => {
		return each.loops.length > 0 || each.indirect ? -1 : 0;
	});
	for (const [k, each] of functions.entries()) {
		if (waitsFor[k] === -1) continue;
		for (const callee of each.calls) {
			// A function with a loop pays for itself, whatever else it does.
			if (callee < imported || waitsFor[callee - imported] === -1) continue;
			(callers[callee - imported] as number[]).push(k);
			waitsFor[k] = (waitsFor[k] as number) + 1;
		}
	}
	// Kahn's order, leaves first; what is in a circle of calls is never reached and pays.
	const ready = functions.flatMap((_, k) => (waitsFor[k] === 0 ? [k] : []));
	for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
		const each = functions[next] as Weighed;
		const steps = addUp(each, (callee) => stepsOfCall(callee, imported, free))(
			each.body,
		);
		if (steps <= FREE_STEPS) free[next] = steps;
		for (const caller of callers[next] as number[]) {
			waitsFor[caller] = (waitsFor[caller] as number) - 1;
			if (waitsFor[caller] === 0) ready.push(caller);
		}
	}
	return free;
}
