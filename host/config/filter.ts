import { accessSync, constants, statSync } from "node:fs";
import { isNetwork } from "../engine/runtimes/container.js";
import { suitsShim } from "../engine/runtimes/docker-wasm.js";
import { CONTAINERS, RUNTIMES } from "../engine/runtimes/index.js";
import { asWasieveError } from "../errors.js";
import { nearest } from "./nearest.js";
import { checkParams, type KnownParams } from "./params.js";
import type { Path, Report } from "./problem.js";
import type { Key } from "./schema.js";
import { asValues, Section, type Surroundings } from "./section.js";
import {
	type ContainerConfig,
	EMBEDDED,
	type EngineConfig,
	type FilterConfig,
	type Limits,
} from "./types.js";

/**
 * Looks into a module file and throws a WasieveError when it could not run within the limits; of an image it
 * checks the name. Tells the parameters that the module says it has. Handed in, so that the config does not need to know what a module or an image is.
 */
export type Inspect = (
	file: string,
	limits: Limits,
) => { params: KnownParams | undefined } | undefined;

/** `filter` as a list; undefined when something in it is wrong (reported). */
export function resolveFilters(
	pipeline: Section,
	limits: Limits,
	around: Surroundings,
	inspect: Inspect,
	images: string,
): FilterConfig[] | undefined {
	const key = pipeline.key.properties?.filter as Key;
	const path = pipeline.at("filter");
	const value = pipeline.get<unknown>("filter");
	if (value === undefined) return undefined;
	const sections = Array.isArray(value)
		? value.map((each, i) => new Section(key, asValues(each), [...path, i]))
		: [new Section(key, asValues(value), path)];
	const filters = sections.map((section) => {
		const engine = resolveEngineOf(section, pipeline, around);
		const filter = resolveFilter(section, around);
		if (filter === undefined) return undefined;
		const at = section.at("module");
		const { report } = around;
		const known = checkModule(filter.module, limits, at, report, inspect);
		if (known) checkParams(filter.params, known, section.at("params"), report);
		if (isImage(filter.module))
			around.meet({ kind: "image", image: filter.module, dir: images }, at);
		return engine === undefined ? undefined : { ...filter, engine };
	});
	return filters.every((each) => each !== undefined) ? filters : undefined;
}

function resolveEngineOf(
	filter: Section,
	pipeline: Section,
	around: Surroundings,
): EngineConfig | undefined {
	const owner = filter.has("engine") ? filter : pipeline;
	const engine = resolveEngine(owner, around);
	if (engine !== undefined && engine !== EMBEDDED)
		around.meet({ kind: "engine", engine }, owner.at("engine"));
	return engine;
}

function resolveFilter(
	filter: Section,
	around: Surroundings,
): Omit<FilterConfig, "engine"> | undefined {
	const module = filter.get<string>("module");
	if (module === undefined) return undefined;
	return {
		module: isImage(module) ? module : around.path(module),
		params: resolveParams(filter, around),
		args: (filter.get<unknown[]>("args") ?? []).map((value, i) =>
			asWritten(value, [...filter.at("args"), i], around),
		),
		realTime: filter.need("realTime"),
	};
}

/** A known name, a command whose program is looked for on the path unless it is a path itself, or an image. */
function resolveEngine(
	owner: Section,
	around: Surroundings,
): EngineConfig | undefined {
	if (!owner.has("engine")) return EMBEDDED;
	const value = owner.get<string | object>("engine");
	if (typeof value !== "string") {
		return resolveOther(owner.section("engine"), around);
	}
	const path = owner.at("engine");
	if (Object.hasOwn(CONTAINERS, value)) {
		return containerOf({ container: value }, path, around);
	}
	if (KNOWN.includes(value)) return value;
	const close = nearest(value, [...KNOWN, ...Object.keys(CONTAINERS)]);
	around.report.value(
		path,
		`there is no engine "${value}"${close ? `, did you mean "${close}"?` : ""}`,
		`known are ${[...KNOWN, ...Object.keys(CONTAINERS)].join(", ")}; any other is a command: { command: [PROGRAM, "{module}"] }`,
	);
	return undefined;
}

const KNOWN = [EMBEDDED, ...Object.keys(RUNTIMES)];

function resolveOther(
	engine: Section,
	around: Surroundings,
): EngineConfig | undefined {
	const kinds = ["command", ...Object.keys(CONTAINERS)];
	const [kind, second] = engine.given(kinds);
	if (kind === undefined || second !== undefined) {
		const what = "an engine is one of these";
		around.report.value(engine.path, what, `write one of ${kinds.join(", ")}`);
		return undefined;
	}
	return kind === "command"
		? resolveCommand(engine, around)
		: resolveContainer(kind, engine, around);
}

function resolveCommand(
	engine: Section,
	around: Surroundings,
): EngineConfig | undefined {
	const [program, ...rest] = engine.get<string[]>("command") ?? [];
	if (program === undefined) return undefined;
	const isPath = program.includes("/");
	return { command: [isPath ? around.path(program) : program, ...rest] };
}

function resolveContainer(
	container: string,
	engine: Section,
	around: Surroundings,
): EngineConfig | undefined {
	const image = engine.get<string | boolean>(container);
	const network = engine.get<string>("network");
	const path = engine.at(network === undefined ? container : "network");
	// On a command line, a dash would make an option of it.
	if (image === false || String(image).startsWith("-")) {
		const hint = "write true, the name of an image, or another engine";
		const what = `${image} names no image`;
		around.report.value(engine.at(container), what, hint);
		return undefined;
	}
	if (image === undefined) return undefined;
	const config = {
		container,
		...(image !== true && { image }),
		...(network !== undefined && { network }),
	};
	return containerOf(config, path, around);
}

/** Refuses networks that a container cannot have. */
function containerOf(
	config: ContainerConfig,
	path: Path,
	{ report }: Surroundings,
): EngineConfig | undefined {
	const { container, network } = config;
	if (!isNetwork(network ?? "none")) {
		const what = `must be none, host or container:NAME, not "${network}"`;
		const hint =
			"filters need no network: leave it out, or share another container's";
		report.value(path, what, hint);
		return undefined;
	}
	if (container !== "docker-wasm" || suitsShim(network)) return config;
	report.value(
		path,
		"the shim cannot start in a network that Docker makes for it: the container stays Created for ever",
		'{ docker-wasm: true, network: "container:NAME" }, where NAME is a Linux container that sleeps with --network none, or network: host',
	);
	return undefined;
}

function resolveParams(
	filter: Section,
	around: Surroundings,
): Record<string, string> {
	const given = Object.entries(asValues(filter.get("params")));
	const path = filter.at("params");
	return Object.fromEntries(
		given
			.filter(([, value]) => value !== undefined)
			.map(([name, value]) => [
				name,
				asWritten(value, [...path, name], around),
			]),
	);
}

/** 85.0 stays "85.0": the filter gets what its operator wrote, not what YAML made of it. */
function asWritten(value: unknown, path: Path, around: Surroundings): string {
	const text = around.written(path) ?? String(value);
	if (text.includes("\0")) {
		const hint = "a program sees nothing of what follows it";
		around.report.value(path, "must not hold NUL", hint);
	}
	return text;
}

/** An image in a registry; `inspect` sees its name, for nothing connects while a config is read. */
function isImage(module: string): boolean {
	return module.startsWith("oci://");
}

/** What is there instead of a file that can be read. */
function whyNoFile(file: string): string | undefined {
	try {
		const stat = statSync(file, { throwIfNoEntry: false });
		if (stat === undefined) return `there is no file ${file}`;
		if (!stat.isFile()) return `${file} is not a file`;
		accessSync(file, constants.R_OK);
		return undefined;
	} catch (thrown) {
		const { code } = thrown as NodeJS.ErrnoException;
		return `${file} cannot be read (${code})`;
	}
}

function checkModule(
	file: string,
	limits: Limits,
	path: Path,
	report: Report,
	inspect: Inspect,
): KnownParams | undefined {
	const what = isImage(file) ? undefined : whyNoFile(file);
	if (what !== undefined) {
		const hint =
			"build it (wasieve build), or mend the path, which is relative to the config file";
		report.add("E_CONFIG_MODULE", path, what, hint);
		return undefined;
	}
	try {
		return inspect(file, limits)?.params;
	} catch (thrown) {
		const { code, message, hint } = asWasieveError(thrown);
		const more = hint ?? `wasieve check ${file} says more`;
		report.add("E_CONFIG_MODULE", path, `${message} (${code})`, more);
		return undefined;
	}
}
