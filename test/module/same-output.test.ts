import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Exit, wasiImports } from "#host/engine/wasi.js";
import { prepareModule } from "#host/module/prepare.js";
import { fixture, fixtures } from "../engine/wat.js";
import { LIMITS } from "./parts.js";

const file = (path: string) => new URL(`../../${path}`, import.meta.url);

/** Real readings, and one of each kind that is refused. */
const INPUT = Buffer.concat([
	readFileSync(file("examples/office-climate.ndjson")).subarray(0, 300_000),
	Buffer.from(
		'\n{"temperature":\n{"temperature":"hot"}\n[1]\n\n{"temperature":99}',
	),
]);

/** A reading may cost this many units; a whole run of all of INPUT as many times more. */
const PLENTY = 2 ** 31 - 1;

/** Everything a module writes to stdout on INPUT, and how it ends. */
function outcome(bytes: Uint8Array, fuel: string | undefined) {
	let at = 0;
	const out: Buffer[] = [];
	let memory: WebAssembly.Memory | undefined;
	let seed = 1;
	const imports = wasiImports(
		{
			args: ["filter"],
			env: ["LIMIT=23"],
			read: (target, to, length) => {
				// Reads of all sizes: lines are cut everywhere.
				seed = (seed * 48_271) % 2_147_483_647;
				const n = Math.min(length, INPUT.length - at, 1 + (seed % 5000));
				target.set(INPUT.subarray(at, at + n), to);
				at += n;
				return n;
			},
			write: (fd, from, start, end) => {
				if (fd === 1) out.push(Buffer.from(from.subarray(start, end)));
				return end - start;
			},
			clock: () => 0n,
			random: (target) => target.fill(7),
			wait: (stdin) => stdin,
		},
		() => memory,
	);
	const { exports } = new WebAssembly.Instance(
		new WebAssembly.Module(bytes as BufferSource),
		imports,
	);
	memory = exports.memory as WebAssembly.Memory;
	const tank =
		fuel === undefined ? undefined : (exports[fuel] as WebAssembly.Global);
	if (tank) tank.value = PLENTY;
	let end = "returned";
	try {
		(exports._start as () => void)();
	} catch (thrown) {
		end = thrown instanceof Exit ? `exit ${thrown.code}` : String(thrown);
	}
	const burnt = tank ? PLENTY - tank.value : 0;
	return { text: Buffer.concat(out).toString(), end, burnt };
}

const SHIPPED = readdirSync(file("build/")).filter((f) => f.endsWith(".wasm"));
const MODULES: [string, () => Promise<Uint8Array>][] = [
	...SHIPPED.map((name): [string, () => Promise<Uint8Array>] => [
		name,
		async () => readFileSync(file(`build/${name}`)),
	]),
	...fixtures()
		.filter((name) => name !== "unmeterable" && name !== "contract")
		.map((name): [string, () => Promise<Uint8Array>] => [
			`${name}.wat`,
			() => fixture(name),
		]),
];

describe("a meter changes nothing but the tank", () => {
	test.each(MODULES)("%s", async (_, load) => {
		const bytes = await load();
		const plain = prepareModule(bytes, LIMITS, {
			fuel: false,
			exposeState: false,
		});
		const metered = prepareModule(bytes, LIMITS, {
			fuel: true,
			exposeState: true,
		});
		expect(metered.fuel).toBeDefined();
		const want = outcome(plain.bytes, undefined);
		const got = outcome(metered.bytes, metered.fuel);
		expect(got.text).toBe(want.text);
		expect(got.end).toBe(want.end);
		expect(got.burnt).toBeGreaterThan(0);
		// The same tank, to the unit, whenever it runs.
		expect(outcome(metered.bytes, metered.fuel).burnt).toBe(got.burnt);
	});

	test("the filters that ship are among them, and say something", () => {
		expect(SHIPPED.length).toBeGreaterThanOrEqual(5);
	});
});
