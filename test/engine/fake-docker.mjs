/**
 * A docker that behaves as Docker 28 and 29 with the wasmtime shim were measured to. The state of its containers is
 * files in FAKE_DOCKER: NAME.pid of the running ones, the pid of the last `client`, `calls` with all command lines. The image's name
 * is the file of the module; of an archive that is loaded the module is taken out, and its name is the tag.
 *
 * - The shim with a network that dockerd would have to make stays "Created": nothing is said, SIGTERM is
 *   ignored.
 * - The end of stdin never reaches a module in the shim.
 * - A trap is exit code 137. A container outlives a client that is killed.
 *
 * With the word ctr in front it is containerd's ctr 1.7: always the shim, and no --local yet.
 */
import { spawn } from "node:child_process";
import {
	appendFileSync,
	existsSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DIR = process.env.FAKE_DOCKER;
const RUNTIME = fileURLToPath(new URL("node-runtime.mjs", import.meta.url));
const ctr = process.argv[2] === "ctr";
const [verb, ...args] = process.argv.slice(ctr ? 3 : 2);
appendFileSync(join(DIR, "calls"), `${[verb, ...args].join(" ")}\n`);

const after = (option) => args[args.indexOf(option) + 1];
const name = () => (ctr ? args.at(-1) : after("--name"));
const pidFile = (name) => join(DIR, `${name}.pid`);

function fail(words, code) {
	process.stderr.write(
		`docker: ${words}\n\nRun 'docker run --help' for more information\n`,
	);
	process.exit(code);
}

function run() {
	const shim = args.includes("--runtime");
	const network = ctr ? "host" : after("--network");
	const image = args.find((each) => each.endsWith(".wasm")) ?? loaded();
	if (image === undefined)
		fail("Error response from daemon: No such image: gone:1", 125);
	if (image.includes("time-namespace"))
		fail(
			"failed to create task for container: failed to create shim task: invalid spec for new user namespace container",
			125,
		);
	process.on("SIGTERM", () => {});
	writeFileSync(join(DIR, "client"), String(process.pid));
	if (shim && network === "none") {
		writeFileSync(pidFile(name()), String(process.pid));
		setInterval(() => {}, 1000);
		return;
	}
	const env = args.filter((_, k) => ["-e", "--env"].includes(args[k - 1]));
	const guest = spawn(process.execPath, [RUNTIME, image, ...env], {
		detached: true,
		stdio: ["pipe", "inherit", "inherit"],
	});
	writeFileSync(pidFile(name()), String(guest.pid));
	process.stdin.on("data", (chunk) => guest.stdin.write(chunk));
	if (!shim) process.stdin.on("end", () => guest.stdin.end());
	guest.stdin.on("error", () => {});
	guest.on("exit", (code) => {
		rmSync(pidFile(name()), { force: true });
		process.exit(code === 134 || code === null ? 137 : code);
	});
}

const place = (image) => join(DIR, `${image.split(":").at(-1)}.image`);

/** The module of an image that was loaded. */
function loaded() {
	return args.map(place).find((file) => existsSync(file));
}

async function load(file) {
	const { readArchive } = await import("#host/pack/archive.js");
	const { readTar } = await import("#host/pack/tar.js");
	const { bundle, name } = readArchive(readFileSync(file));
	for (const { bytes, mediaType } of bundle.blobs) {
		const entries = mediaType.endsWith(".tar") ? readTar(bytes) : [];
		const module = entries.find(({ name }) => name === "filter.wasm");
		if (module) writeFileSync(place(name), module.bytes);
	}
}

/** A container that is only "Created" has no process. */
function kill(name) {
	try {
		const pid = Number(readFileSync(pidFile(name), "utf8"));
		rmSync(pidFile(name));
		process.kill(pid, "SIGKILL");
	} catch {
		process.stderr.write(
			`Error response from daemon: ${name} is not running\n`,
		);
		process.exit(1);
	}
}

if (verb === "--version") console.log("ctr containerd.io 1.7.2");
else if (verb === "task" || verb === "container") kill(args.at(-1));
else if (verb === "image" && args[0] === "import") {
	if (args.includes("--local"))
		fail("flag provided but not defined: -local", 1);
	await load(args.at(-1));
} else if (verb === "version") console.log("29.7.2");
else if (verb === "run") run();
else if (verb === "kill") kill(args[0]);
else if (verb === "rm") kill(args[1]);
else if (verb === "load") await load(args[1]);
else if (verb === "image" && args[0] === "inspect")
	process.exit(existsSync(place(args[1])) ? 0 : 1);
else if (verb === "image" && args[0] === "rm") rmSync(place(args[1]));
else process.exit(1);
