// Bytes that a filter allocates, told by AssemblyScript's own allocator: compiled with ASC_RTRACE it calls an import for each block.
import { join } from "node:path";
import { compileFilter } from "#host/cli/compile.js";
import { bareGuest } from "./bare-guest.mjs";
import { ROOT } from "./subjects.mjs";

/** In front of each block: its size, whose lowest two bits are flags (rt/common.ts). */
const OVERHEAD = 4;
const FLAGS = 3;

/**
 * @param {string} name of a filter that is shipped
 * @param {readonly string[]} params "K=V"
 * @param {boolean} simd
 * @returns {Promise<(input: Uint8Array) => number>} bytes allocated, and never mind what was freed
 */
export async function openAllocations(name, params, simd) {
	const source = join(ROOT, `assembly/filters/${name}.ts`);
	const flags = ["--use", "ASC_RTRACE=1"];
	const { bytes } = await compileFilter(source, {
		simd,
		flags,
		unchecked: true,
	});
	let allocated = 0;
	/** @param {number} block */
	const sizeOf = (block) => {
		const size = guest.memory?.().getUint32(block, true) ?? 0;
		return OVERHEAD + (size & ~FLAGS);
	};
	const rtrace = {
		oninit() {},
		/** @param {number} block */
		onalloc(block) {
			// What is allocated before the first reading is of no reading.
			if (guest) allocated += sizeOf(block);
		},
		/** @type {(block: number, before: number) => void} */
		onresize(block, before) {
			if (guest) allocated += Math.max(0, sizeOf(block) - before);
		},
		// A block that is moved was allocated anew: it has been told.
		onmove() {},
		onfree() {},
		onvisit: () => 1,
		// Accesses are told as well, and may be moved: they stay where they are.
		onload: (/** @type {number} */ at) => at,
		onstore: (/** @type {number} */ at) => at,
		oncollect() {},
		oninterrupt() {},
		onyield() {},
	};
	/** @type {import("./bare-guest.mjs").BareGuest} */
	let guest = /** @type {any} */ (undefined);
	guest = bareGuest(bytes, { env: params, imports: { rtrace } });
	return (input) => {
		allocated = 0;
		guest.run(input);
		return allocated;
	};
}
