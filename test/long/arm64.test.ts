import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { finish, folder, MAIN, ROOT } from "../cli/child.js";
import { commandFor, PROCESSORS } from "./emulated.js";

// The compiled host and the modules on processors that this machine is not: the same bytes out,
// and the same number of instructions.

const FILTERS: [name: string, ...params: string[]][] = [
	["overheat"],
	["stuffy", "HIGH=80", "LOW=70"],
	["deadband", "BAND=10"],
	["rename", "MAP=device=device_id,t=temperature"],
	["every-minute"],
];

/** Numbers at the edges of doubles, other spellings, other scripts, and what is no JSON. */
const TEMPERATURES = [
	"91.5",
	"85.000000000000014210854715202004",
	"85.000000000000000000000000000001",
	"1e308",
	"-0",
	"4.9406564584124654e-324",
	"2.2250738585072011e-308",
	"9007199254740993",
	"179769313486231570000000000000000000000",
	"0.1",
	'"91"',
	"null",
	"1e999",
	"01",
];

function readings(): string {
	const lines = TEMPERATURES.flatMap((temperature, i) =>
		["press-1", "Täfelchen-\\u00e9", "圧力-😀"].map(
			(device) =>
				`{"device_id":"${device}","temperature":${temperature},"humidity":${i * 8.3},"co2":${i % 2 ? 95.25 : 60},"timestamp":${i}}`,
		),
	);
	return `${lines.join("\n")}\n{"half":\n\n[1,2]\n`;
}

for (const { node, qemu } of [{ node: "riscv64", qemu: "qemu-riscv64-static" }])
	console.warn(
		`${node}: skipped, the npm registry has no Node for it (${qemu})`,
	);

describe.each(PROCESSORS)("on $arch", (processor) => {
	const there = commandFor(processor);
	if (typeof there === "string")
		console.warn(`${processor.arch}: skipped, ${there}`);

	/** The same command line here and there; both to their end. */
	async function both(args: string[], input = "") {
		const { command, env } = there as Exclude<typeof there, string>;
		const cwd = { cwd: ROOT };
		return Promise.all([
			finish([process.execPath, MAIN, ...args], cwd, input),
			finish([...command, MAIN, ...args], { ...cwd, env }, input),
		]);
	}

	const given = FILTERS.flatMap(([name, ...params]) => {
		const flags = params.flatMap((param) => ["--param", param]);
		return [
			{ name, kind: "scalar", build: [], flags },
			{ name, kind: "SIMD", build: ["--simd"], flags },
		];
	});

	it.skipIf(typeof there === "string")("is that processor", async () => {
		const { command, env } = there as Exclude<typeof there, string>;
		const ran = await finish([...command, "-p", "process.arch"], { env });
		expect(ran.stdout.trim()).toBe(processor.arch);
	});

	it.skipIf(typeof there === "string").each(given)(
		"$name, $kind: the same bytes, instructions and memory",
		async ({ name, build, flags }) => {
			const module = join(folder(), `${name}.wasm`);
			const source = `assembly/filters/${name}.ts`;
			const built = await finish(
				[process.execPath, MAIN, "build", source, "-o", module, ...build],
				{ cwd: ROOT },
			);
			expect(built.stderr).toBe("");

			const [here, away] = await both(["exec", module, ...flags], readings());
			expect(here.stdout).not.toBe("");
			expect(away).toEqual(here);

			const input = join(folder(), "readings.ndjson");
			writeFileSync(input, readings());
			const args = ["--input", input, "--rounds", "1", "--json", "-", ...flags];
			const [one, other] = await both(["bench", module, ...args]);
			const { machines, ...fixed } = JSON.parse(one.stdout);
			const { machines: emulated, ...same } = JSON.parse(other.stdout);
			expect(same).toEqual(fixed);
			expect(fixed.instructionsPerReading).toBeGreaterThan(100);
			expect(Object.keys(emulated)).toEqual([processor.arch]);
			expect(Object.keys(machines)).toEqual([process.arch]);
		},
	);

	it.skipIf(typeof there === "string")(
		"the gateway makes the same of a file of readings",
		async () => {
			const where = folder();
			const lines = readFileSync(
				join(ROOT, "examples/office-climate.ndjson"),
				"utf8",
			);
			writeFileSync(join(where, "in.ndjson"), lines);
			const config = (out: string) => {
				const file = join(where, `${out}.yaml`);
				writeFileSync(
					file,
					`http: false
pipelines:
  stuffy:
    from: { file: in.ndjson }
    filter: { module: ${JSON.stringify(join(ROOT, "build/stuffy.wasm"))}, params: { HIGH: 900, LOW: 700 } }
    to: { file: ${out}.ndjson }
`,
				);
				return file;
			};
			const { command, env } = there as Exclude<typeof there, string>;
			const runs = await Promise.all([
				finish([process.execPath, MAIN, "run", config("here")], {}),
				finish([...command, MAIN, "run", config("there")], { env }),
			]);
			expect(runs.map(({ code }) => code)).toEqual([0, 0]);
			const said = (name: string) =>
				readFileSync(join(where, `${name}.ndjson`), "utf8");
			expect(said("here")).toContain('"alert_type":"stuffy"');
			expect(said("there")).toBe(said("here"));
		},
	);
});
