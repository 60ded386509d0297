import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import wabt from "wabt";
import { type PreparedModule, prepareModule } from "#host/module/prepare.js";

export const LIMITS = { memory: 16 * 2 ** 20, table: 10_000 };

const FEATURES = {
	bulk_memory: true,
	exceptions: true,
	extended_const: true,
	multi_value: true,
	mutable_globals: true,
	reference_types: true,
	relaxed_simd: true,
	sat_float_to_int: true,
	sign_extension: true,
	simd: true,
	tail_call: true,
	threads: true,
	memory64: true,
};

const { parseWat } = await wabt();

/** The text format as bytes of a module; `check` off lets through what wabt thinks wrong. */
export function wat(text: string): Uint8Array {
	const parsed = parseWat("test.wat", text, FEATURES);
	const { buffer } = parsed.toBinary({ write_debug_names: true });
	parsed.destroy();
	return buffer;
}

export function metered(bytes: Uint8Array): PreparedModule {
	const prepared = prepareModule(bytes, LIMITS, {
		fuel: true,
		exposeState: true,
	});
	if (prepared.fuel === undefined) {
		throw new Error(`not metered: ${prepared.info.notInlineBecause}`);
	}
	return prepared;
}

export function plain(bytes: Uint8Array): PreparedModule {
	return prepareModule(bytes, LIMITS, { fuel: false, exposeState: false });
}

/** Every WASI function there is, answering 0. */
export function instantiate(bytes: Uint8Array): WebAssembly.Instance {
	const calls = new Proxy({}, { get: () => () => 0, has: () => true });
	const module = new WebAssembly.Module(bytes as BufferSource);
	return new WebAssembly.Instance(module, {
		wasi_snapshot_preview1: calls as WebAssembly.ModuleImports,
	});
}

export interface Run {
	/** What the export returned, or how it ended. */
	result: unknown;
	/** Units burnt. */
	burnt: number;
	/** Units left, negative when the tank ran out. */
	left: number;
	instance: WebAssembly.Instance;
}

/** Calls an export of a metered module on a tank of `units`. */
export function runMetered(
	{ bytes, fuel }: PreparedModule,
	units: number,
	name = "run",
	...args: unknown[]
): Run {
	const instance = instantiate(bytes);
	const tank = instance.exports[fuel as string] as WebAssembly.Global;
	tank.value = units;
	const result = call(instance, name, ...args);
	return { result, burnt: units - tank.value, left: tank.value, instance };
}

/** What an export returns, or "trap: …". */
export function call(
	instance: WebAssembly.Instance,
	name: string,
	...args: unknown[]
): unknown {
	try {
		return (instance.exports[name] as (...args: unknown[]) => unknown)(...args);
	} catch (thrown) {
		if (thrown instanceof RangeError) return "trap: stack";
		return `trap: ${(thrown as Error).message}`;
	}
}

/** build/*.wasm: the filters that ship. */
export function shipped(): { name: string; bytes: Uint8Array }[] {
	const folder = fileURLToPath(new URL("../../build/", import.meta.url));
	return readdirSync(folder)
		.filter((file) => file.endsWith(".wasm"))
		.map((name) => ({ name, bytes: readFileSync(folder + name) }));
}
