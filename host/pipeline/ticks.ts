import type { Engine } from "../contract.js";

/** The clocks that let timers of filters fire. */
export class Ticks {
	readonly #timers: NodeJS.Timeout[] = [];

	/** @param tick at most as often as the filter wants it */
	keep(engine: Engine, tick: () => void): void {
		if (engine.tickEvery === 0) return;
		this.#timers.push(setInterval(tick, engine.tickEvery));
	}

	stop(): void {
		for (const timer of this.#timers) clearInterval(timer);
		this.#timers.length = 0;
	}
}
