// What fuel costs a reading, and what the rewriting costs at load.
import { prepareModule } from "#host/module/prepare.js";
import { bareGuest } from "../bare-guest.mjs";
import { COUNT, check, lines, overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const LIMITS = { memory: 16 * 2 ** 20, table: 10_000 };

/**
 * @param {Uint8Array} bytes
 * @param {boolean} fuel
 */
function guest(bytes, fuel) {
	const prepared = prepareModule(bytes, LIMITS, { fuel, exposeState: false });
	const made = bareGuest(prepared.bytes, { fuel: prepared.fuel });
	check(made);
	return () => made.run(lines);
}

const { scalar, simd } = overheat();
await suite({
	title: "Fuel",
	note: "The same module with and without, on the least possible host.",
	per: "reading",
	batch: COUNT,
	cases: {
		"scalar, no fuel": guest(scalar, false),
		"scalar, fuel": guest(scalar, true),
		"SIMD, no fuel": guest(simd, false),
		"SIMD, fuel": guest(simd, true),
	},
});
