// The least host that an SDK module runs on: hello, one buffer in, bytes out, no ledger, no topics. What the module
// itself costs, without the engine around it.

const AGAIN = 6;
const HELLO = Buffer.from("\x1eh1 pump\n");

/**
 * @typedef {object} BareGuest
 * @property {(input: Uint8Array) => number} run readings in, bytes written out
 * @property {(input: Uint8Array) => string} hear the same, as text
 * @property {() => DataView} [memory]
 */

/**
 * @param {Uint8Array} module
 * @param {{ fuel?: string | undefined, tank?: number, env?: readonly string[], imports?: WebAssembly.Imports }} [options] name of the fuel global, and what it is filled with before each run; parameters, "K=V"; imports beside those of WASI
 * @returns {BareGuest}
 */
export function bareGuest(
	module,
	{ fuel, tank = 2 ** 31 - 1, env = [], imports: more = {} } = {},
) {
	/** @type {Uint8Array} */
	let input = HELLO;
	let at = 0;
	let written = 0;
	/** @type {Buffer[] | undefined} */
	let heard;
	/** @type {any} */
	let exports;
	const view = () => new DataView(exports.memory.buffer);
	const bytes = () => new Uint8Array(exports.memory.buffer);

	const surroundings = Buffer.from(env.map((each) => `${each}\0`).join(""));

	/** @type {Record<string, (...args: number[]) => number>} */
	const calls = {
		//  iovec │ pointer u32 │ length u32 │  one a call is what the SDK uses
		fd_read(_fd = 0, iovec = 0, _count = 0, out = 0) {
			if (at === input.length) return AGAIN;
			const memory = view();
			const size = Math.min(
				memory.getUint32(iovec + 4, true),
				input.length - at,
			);
			bytes().set(input.subarray(at, at + size), memory.getUint32(iovec, true));
			at += size;
			memory.setUint32(out, size, true);
			return 0;
		},
		fd_write(_fd = 0, iovec = 0, _count = 0, out = 0) {
			const memory = view();
			const from = memory.getUint32(iovec, true);
			const size = memory.getUint32(iovec + 4, true);
			heard?.push(Buffer.from(bytes().slice(from, from + size)));
			written += size;
			memory.setUint32(out, size, true);
			return 0;
		},
		environ_sizes_get(count = 0, size = 0) {
			view().setUint32(count, env.length, true);
			view().setUint32(size, surroundings.length, true);
			return 0;
		},
		environ_get(pointers = 0, at = 0) {
			let place = at;
			for (const [i, each] of env.entries()) {
				view().setUint32(pointers + 4 * i, place, true);
				place += Buffer.byteLength(each) + 1;
			}
			bytes().set(surroundings, at);
			return 0;
		},
		proc_exit(code) {
			throw new Error(`exit ${code}`);
		},
	};
	const compiled = new WebAssembly.Module(/** @type {BufferSource} */ (module));
	const imports = { ...more, wasi_snapshot_preview1: calls };
	exports = new WebAssembly.Instance(compiled, imports).exports;
	const refuel = () => {
		if (fuel) exports[fuel].value = tank;
	};
	refuel();
	exports._start();

	/** @param {Uint8Array} next */
	function run(next) {
		input = next;
		at = written = 0;
		refuel();
		exports.pump();
		return written;
	}
	return {
		run,
		memory: view,
		hear(next) {
			heard = [];
			run(next);
			const text = Buffer.concat(heard).toString();
			heard = undefined;
			return text;
		},
	};
}
