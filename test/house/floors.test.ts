import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import {
	hostSources,
	roomOf,
	type SourceFile,
	withoutStrings,
} from "./sources.js";

/** Lowest first; a room imports from itself and from what stands before it. */
const FLOORS = [
	"module",
	"mqtt",
	"store",
	"engine",
	"pipeline",
	"config",
	"observe",
	"pack",
	"cli",
];
/** On the ground, for everybody. */
const GROUND = ["errors.ts", "contract.ts"];
/** The package's door: it shows what is in the house and is imported by no room. */
const DOOR = "index.ts";

/** Who may import a package. */
const PACKAGES: Record<string, string[]> = {
	mqtt: ["mqtt"],
	"mqtt/lib/client": ["mqtt"],
	"mqtt-packet": ["mqtt"],
	aedes: ["mqtt"],
	yaml: ["config"],
	ajv: ["config"],
	pino: ["observe"],
	"prom-client": ["observe"],
	assemblyscript: ["cli"],
	"assemblyscript/asc": ["cli"],
};
/** Rooms that may know sockets. */
const SOCKETS: Record<string, string[]> = {
	"node:net": ["mqtt", "observe"],
	"node:tls": ["mqtt", "pack"],
	"node:http": ["observe", "pack"],
	"node:https": ["pack"],
	"node:child_process": ["engine", "cli"],
	"node:sqlite": ["store"],
	"classic-level": ["store"],
};
const files = hostSources();

function target(file: SourceFile, imported: string): string {
	const path = posix.join(posix.dirname(file.path), imported);
	return path.replace(/\.js$/, ".ts");
}

/** Imports of other files of host/ that the floors do not allow. */
function climbs(file: SourceFile): string[] {
	return file.imports
		.filter((imported) => imported.startsWith("."))
		.map((imported) => target(file, imported))
		.filter((path) => !mayImport(file.path, path))
		.map((path) => `${file.path} → ${path}`);
}

function mayImport(from: string, to: string): boolean {
	if (to.startsWith("../")) return to === "../package.json";
	if (GROUND.includes(to)) return true;
	if (GROUND.includes(from) || roomOf(to) === "") return false;
	if (from === DOOR) return true;
	return FLOORS.indexOf(roomOf(to)) <= FLOORS.indexOf(roomOf(from));
}

describe("the floors", () => {
	test("every file stands in a room that is on the list", () => {
		const rooms = new Set(files.map(({ path }) => roomOf(path)));
		expect(
			[...rooms].filter((room) => room !== "" && !FLOORS.includes(room)),
		).toEqual([]);
		const loose = files
			.map(({ path }) => path)
			.filter((path) => roomOf(path) === "");
		expect(loose.filter((path) => ![...GROUND, DOOR].includes(path))).toEqual(
			[],
		);
		expect(files.length).toBeGreaterThan(80);
	});

	test("nobody imports from a floor above", () => {
		expect(files.flatMap(climbs)).toEqual([]);
	});

	test("the test itself sees a climb", () => {
		const climber: SourceFile = {
			path: "mqtt/x.ts",
			text: "",
			code: "",
			imports: [
				"../engine/wasi.js",
				"../errors.js",
				"./topics.js",
				"../module/inspect.js",
			],
		};
		expect(climbs(climber)).toEqual(["mqtt/x.ts → engine/wasi.ts"]);
	});

	test("sources, engines, sinks and stores are strangers to each other", () => {
		const strangers = ["mqtt", "store", "engine"];
		const met = files.flatMap((file) =>
			file.imports
				.filter((imported) => imported.startsWith("."))
				.map((imported) => roomOf(target(file, imported)))
				.filter(
					(room) =>
						strangers.includes(room) &&
						strangers.includes(roomOf(file.path)) &&
						room !== roomOf(file.path),
				)
				.map((room) => `${file.path} → ${room}`),
		);
		expect(met).toEqual([]);
	});

	test("the ground has no dependencies but Node", () => {
		const ground = files.filter(({ path }) => GROUND.includes(path));
		expect(ground).toHaveLength(2);
		for (const { imports } of ground) {
			expect(
				imports.filter(
					(each) => !each.startsWith("node:") && each !== "./errors.js",
				),
			).toEqual([]);
		}
	});
});

describe("what only one room may touch", () => {
	const outside = (allowed: string[], pattern: RegExp) =>
		files
			.filter(({ path }) => !allowed.includes(roomOf(path)))
			.filter(({ code }) => pattern.test(withoutStrings(code)))
			.map(({ path }) => path);

	test.each(Object.entries({ ...PACKAGES, ...SOCKETS }))(
		"%s: %j",
		(name, rooms) => {
			const others = files
				.filter(
					({ path, imports }) =>
						imports.includes(name) && !rooms.includes(roomOf(path)),
				)
				.map(({ path }) => path);
			expect(others).toEqual([]);
		},
	);

	test("packages: none that this table does not know", () => {
		const known = new Set([...Object.keys(PACKAGES), ...Object.keys(SOCKETS)]);
		const unknown = files.flatMap(({ path, imports }) =>
			imports
				.filter(
					(name) =>
						!name.startsWith(".") &&
						!name.startsWith("node:") &&
						!known.has(name),
				)
				.map((name) => `${path}: ${name}`),
		);
		expect(unknown).toEqual([]);
	});

	test("WebAssembly: engine (and module, to validate)", () => {
		expect(outside(["engine", "module"], /\bWebAssembly\s*[.[]/)).toEqual([]);
		const beyondValidation = files
			.filter(({ path }) => roomOf(path) === "module")
			.filter(({ code }) =>
				/\bWebAssembly\s*\.(?!(validate|Module)\b)/.test(withoutStrings(code)),
			);
		expect(beyondValidation.map(({ path }) => path)).toEqual([]);
	});

	test("process: cli", () => {
		expect(outside(["cli"], /(?<![\w.#])process\s*[.[]/)).toEqual([]);
		const imported = files.filter(
			({ path, imports }) =>
				imports.includes("node:process") && roomOf(path) !== "cli",
		);
		expect(imported.map(({ path }) => path)).toEqual([]);
	});
});
