import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type {
	Around,
	Finding,
	Look,
	Machine,
} from "#host/cli/doctor/finding.js";
import { thisMachine } from "#host/cli/doctor/machine.js";
import { parseConfig } from "#host/config/index.js";
import { folder } from "../child.js";

/** What a test has of its own; the rest is a healthy machine of 2 GiB. */
export interface Symptoms {
	/** System files, by path. */
	files?: Record<string, string>;
	/** Shell scripts, by the name of the program; nothing else is on the path. */
	programs?: Record<string, string>;
	machine?: Partial<Machine>;
	now?: string;
	/** A gateway file's text. */
	config?: string;
	deadline?: number;
}

const HEALTHY: Machine = {
	node: "24.11.0",
	oldest: "20",
	lts: "Krypton",
	platform: "linux",
	arch: "arm64",
	simd: true,
	cores: 4,
	memory: 2 ** 31,
	root: false,
};

/** A machine in a folder: its system files and programs are real, and all that there is. */
export function patient(symptoms: Symptoms = {}): Around {
	const root = folder();
	const {
		files = {},
		programs = {},
		machine,
		config,
		deadline = 5000,
	} = symptoms;
	for (const [path, text] of Object.entries(files)) put(join(root, path), text);
	for (const [name, script] of Object.entries(programs)) {
		const path = put(
			join(root, "bin", name),
			`#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`,
		);
		chmodSync(path, 0o755);
	}
	put(join(root, "any.wasm"), "");
	const env = { PATH: join(root, "bin") };
	const around = thisMachine({ env, cwd: root }, { deadline, root });
	const now = Date.parse(symptoms.now ?? "2026-11-25T12:00:00Z");
	return {
		...around,
		workshop: { ...around.workshop, arch: "arm64" },
		clock: () => now,
		machine: { ...HEALTHY, ...machine },
		...(config !== undefined && {
			config: parseConfig(config, join(root, "gateway.yaml"), {
				env: {},
				inspect: () => {},
			}),
		}),
	};
}

function put(path: string, text: string): string {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, text);
	return path;
}

/** A gateway of one pipeline from stdin to stdout with this engine, whose module is any file. */
export function gatewayWith(engine: string, module = "any.wasm"): string {
	return `pipelines: { a: { from: stdin, filter: { module: ${module}, engine: ${engine} }, to: stdout } }\n`;
}

/** What a look found, as it is told: `fail what → mend`. */
export async function told(look: Look, symptoms: Symptoms): Promise<string[]> {
	return (await look(patient(symptoms))).map(lineOf);
}

export function lineOf({ verdict, what, mend }: Finding): string {
	return `${verdict} ${what}${mend === undefined ? "" : ` → ${mend}`}`;
}
