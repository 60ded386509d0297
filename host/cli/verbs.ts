import { EXIT, type Io, type Verb } from "./io.js";

/**
 * The verbs, imported when they are asked for: `wasieve exec` must not pay for the gateway.
 * In the order of a filter's life.
 */
export const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
	new: async () => (await import("./new.js")).newVerb,
	build: async () => (await import("./build.js")).buildVerb,
	check: async () => (await import("./check.js")).checkVerb,
	exec: async () => (await import("./exec.js")).execVerb,
	bench: async () => (await import("./bench.js")).benchVerb,
	pack: async () => (await import("./pack.js")).packVerb,
	push: async () => (await import("./push.js")).pushVerb,
	pull: async () => (await import("./pull.js")).pullVerb,
	inspect: async () => (await import("./inspect.js")).inspectVerb,
	run: async () => (await import("./run.js")).runVerb,
	health: async () => (await import("./health.js")).healthVerb,
	doctor: async () => (await import("./doctor.js")).doctorVerb,
	demo: async () => (await import("./demo.js")).demoVerb,
};

/** All of the program but the process: what was asked for is done, told on `io`, and summed up in the exit code. */
export async function doMain(argv: string[], io: Io): Promise<number> {
	const [name, ...rest] = argv;
	if (name === undefined) return showHelp(io.stderr, EXIT.USAGE);
	if (name === "help" && rest.length > 0)
		return doMain([rest[0] as string, "--help"], io);
	if (name === "--help" || name === "-h" || name === "help")
		return showHelp(io.stdout, EXIT.OK);
	if (name === "--version" || name === "-V") return showVersion(io);
	const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
	if (load === undefined) return refuseVerb(name, io);
	return runVerb(await load(), rest, io);
}

async function runVerb(verb: Verb, argv: string[], io: Io): Promise<number> {
	if (asksForHelp(argv)) {
		io.stdout.write(verb.help);
		return EXIT.OK;
	}
	try {
		return await verb.run(argv, io);
	} catch (thrown) {
		const { report } = await import("./report.js");
		return report(thrown, io);
	}
}

/** `--help` anywhere but behind `--`, where it is the guest's. */
function asksForHelp(argv: string[]): boolean {
	const end = argv.indexOf("--");
	const own = end < 0 ? argv : argv.slice(0, end);
	return own.includes("--help") || own.includes("-h");
}

async function showHelp(to: Io["stdout"], code: number): Promise<number> {
	const verbs = await Promise.all(Object.values(VERBS).map((load) => load()));
	const lines = verbs.map(
		({ name, summary }) => `  ${name.padEnd(9)}${summary}\n`,
	);
	to.write(HELP.replace("VERBS\n", lines.join("")));
	return code;
}

const HELP = `wasieve: sensor filters as WASI modules of a few KB, and the gateway that runs them

usage: wasieve VERB …

VERBS

wasieve VERB --help    what the verb takes, with examples
wasieve --version      the version

Exit codes: 0 done, 1 it failed, 2 wrong command line, 3 the config or module has errors;
exec has its guest's (wasieve exec --help). Errors go to stderr as "error E_CODE: what", with
a hint; docs/errors.md lists the codes.
`;

async function showVersion(io: Io): Promise<number> {
	const { version } = await import("./version.js");
	io.stdout.write(`wasieve ${version()}\n`);
	return EXIT.OK;
}

async function refuseVerb(name: string, io: Io): Promise<number> {
	const [{ WasieveError }, { report }, { nearest }] = await Promise.all([
		import("../errors.js"),
		import("./report.js"),
		import("../config/nearest.js"),
	]);
	const close = nearest(name, Object.keys(VERBS));
	const meant = close ? `, did you mean '${close}'?` : "";
	const hint = "wasieve --help lists the verbs";
	return report(
		new WasieveError("E_USAGE", `there is no verb '${name}'${meant}`, { hint }),
		io,
	);
}
