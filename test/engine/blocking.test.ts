import { type BlockingOptions, blockingEngine } from "#host/engine/blocking.js";
import { engineContract } from "./contract.js";
import { fixture } from "./wat.js";

const wasm = new WebAssembly.Module(await fixture("contract"));

const OPTIONS: BlockingOptions = {
	name: "contract",
	module: { wasm, fuel: undefined },
	args: ["contract.wasm"],
	env: [],
	limits: { time: 300, output: 10_000 },
	realTime: false,
	unitBy: "batch",
	restart: { max: 1000, backoff: { min: 1, max: 1 } },
	clock: () => 1_700_000_000_000,
};

engineContract("the blocking engine", {
	make: ({ restart }) => blockingEngine({ ...OPTIONS, restart }),
	keepsState: false,
	loop: "E_GUEST_TIME",
});
