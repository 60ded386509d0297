import { type Death, type Orders, Said } from "./channel.js";
import { exited, faultOf } from "./fault.js";
import { Outlet } from "./outlet.js";
import { RingHost } from "./ring-host.js";
import { Exit, wasiImports } from "./wasi.js";

/** Runs an instance from start to end; whatever the end is, it is said. */
export function runGuest(orders: Orders): void {
	const outlet = new Outlet(orders.outcome, orders.words);
	const host = new RingHost(orders, outlet);
	const death = live(orders, host);
	host.flush();
	outlet.say(Said.DIED, Buffer.from(JSON.stringify(death)));
	outlet.ringBell();
}

function live(orders: Orders, host: RingHost): Death {
	try {
		enter(orders, host);
		return exit(0, host.lastWords);
	} catch (thrown) {
		if (thrown instanceof Exit) return exit(thrown.code, host.lastWords);
		const { code, message, hint } = faultOf(
			thrown,
			host.tank.left,
			host.lastWords,
			orders.wasm as WebAssembly.Module,
		);
		return { code, message, hint, exit: undefined };
	}
}

function enter(orders: Orders, host: RingHost): void {
	let memory: WebAssembly.Memory | undefined;
	const { exports } = new WebAssembly.Instance(
		orders.wasm as WebAssembly.Module,
		wasiImports(host, () => memory),
	);
	if (exports.memory instanceof WebAssembly.Memory) memory = exports.memory;
	host.tank.attach(orders.fuel && exports[orders.fuel.global]);
	(exports._start as () => void)();
}

function exit(status: number, lastWords: string): Death {
	const { code, message, hint } = exited(status, lastWords);
	return { code, message, hint, exit: status };
}
