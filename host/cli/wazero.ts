import { spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeScratch } from "../engine/scratch.js";
import { WasieveError } from "../errors.js";
import type { Architecture, Runtime } from "../pack/standalone.js";
import type { Io } from "./io.js";

const VERSION = "v1.12.0";
/** Its name in images. */
export const WAZERO = `wazero ${VERSION.slice(1)}`;
const PACKAGE = "github.com/tetratelabs/wazero";

/** What Go makes of it is only what these sums let through (`-mod=readonly`). */
export const WAZERO_SOURCES = {
	"go.mod": `module standalone

go 1.25.0

require ${PACKAGE} ${VERSION}

require golang.org/x/sys v0.44.0 // indirect
`,
	"go.sum": `${PACKAGE} ${VERSION} h1:DuWcpNu/FzgEXgGBDp8J1Spc+CWOvvtvVyjKlaZopYU=
${PACKAGE} ${VERSION}/go.mod h1:LvKtzl2RqO4gyF27BiXU+nKAjcV8f38U+kP/q2vgxh0=
golang.org/x/sys v0.44.0 h1:ildZl3J4uzeKP07r2F++Op7E9B29JRUy+a27EibtBTQ=
golang.org/x/sys v0.44.0/go.mod h1:4GL1E5IUh+htKOUEOaiffhrAeqysfVGipDYzABqnCmw=
`,
	"tools.go": `//go:build tools

package tools

import _ "${PACKAGE}/cmd/wazero"
`,
};

/**
 * A static wazero for a machine, cross-compiled with Go. The same Go makes the same bytes: no paths, no build id.
 * @throws {WasieveError} E_STANDALONE
 */
export async function buildWazero(
	architecture: Architecture,
	env: Io["env"],
	stop?: AbortSignal,
): Promise<Runtime> {
	const dir = await makeScratch(tmpdir());
	try {
		for (const [name, text] of Object.entries(WAZERO_SOURCES))
			await writeFile(join(dir, name), text);
		const target = {
			...TARGETS[architecture],
			CGO_ENABLED: "0",
			GOOS: "linux",
		};
		await go(dir, { ...env, ...target }, stop);
		const bytes = await readFile(join(dir, "wazero"));
		return { architecture, bytes, name: WAZERO };
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}

const TARGETS: Readonly<Record<Architecture, Record<string, string>>> = {
	amd64: { GOARCH: "amd64", GOAMD64: "v1" },
	arm64: { GOARCH: "arm64" },
	"arm/v7": { GOARCH: "arm", GOARM: "7" },
	riscv64: { GOARCH: "riscv64" },
};

/** Without CGO_ENABLED=0 the program would need a loader that a scratch image does not have. */
const ARGS = [
	"build",
	"-mod=readonly",
	"-trimpath",
	"-buildvcs=false",
	"-ldflags=-s -w -buildid=",
	"-o",
	"wazero",
	`${PACKAGE}/cmd/wazero`,
];

function go(
	cwd: string,
	env: Record<string, string | undefined>,
	stop: AbortSignal | undefined,
): Promise<void> {
	const child = spawn("go", ARGS, {
		...{ cwd, env, ...(stop && { signal: stop }) },
		stdio: ["ignore", "ignore", "pipe"],
	});
	let said = "";
	child.stderr.setEncoding("utf8").on("data", (text) => {
		said = (said + text).slice(-2000);
	});
	return new Promise((resolve, reject) => {
		child.on("error", ({ message }) => reject(notBuilt(message)));
		child.on("close", (code) => {
			if (code === 0) resolve();
			else reject(notBuilt(said.trim().replaceAll(/\s+/g, " ")));
		});
	});
}

function notBuilt(why: string): WasieveError {
	return new WasieveError(
		"E_STANDALONE",
		`wazero ${VERSION} cannot be built: ${why}`,
		{
			hint: "images for Linux need Go 1.25 or newer on the PATH, and the Go module proxy or its cache, or are made elsewhere (wasieve pack --standalone)",
		},
	);
}
