import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import {
	type ConfigError,
	type GatewayConfig,
	type LoadOptions,
	parseConfig,
} from "#host/config/index.js";

const dir = mkdtempSync(join(tmpdir(), "wasieve-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** A folder with build/filter.wasm for the configs of a test file. */
export function folder(): string {
	mkdirSync(join(dir, "build"), { recursive: true });
	writeFileSync(join(dir, "build/filter.wasm"), "");
	return dir;
}

/** The text as gateway.yaml in that folder. */
export function parse(
	text: string,
	options: Partial<LoadOptions> = {},
): GatewayConfig {
	const file = join(folder(), "gateway.yaml");
	return parseConfig(text, file, { env: {}, hostname: "pi", ...options });
}

/** The error of a text that is wrong. */
export function refusal(
	text: string,
	options: Partial<LoadOptions> = {},
): ConfigError {
	try {
		parse(text, options);
	} catch (thrown) {
		return thrown as ConfigError;
	}
	throw new Error("the config was accepted");
}

/** Its problems as compilers write them, without the folder: `7:12 E_CODE key: what → hint`. */
export function problems(
	text: string,
	options: Partial<LoadOptions> = {},
): string[] {
	return refusal(text, options).problems.map(
		({ line, column, code, key, what, hint }) =>
			`${line}:${column} ${code} ${key}: ${what} → ${hint}`.replaceAll(
				`${dir}/`,
				"",
			),
	);
}

/** A gateway file with one pipeline `a` whose parts a test replaces. */
export function withPipeline(
	parts: Partial<Record<"from" | "filter" | "to" | "more" | "top", string>>,
): string {
	const {
		from = "{ topic: plant/+, qos: 1 }",
		filter = "{ module: build/filter.wasm }",
		to = "{ topic: alerts }",
		more = "",
		top = "",
	} = parts;
	return `${top}pipelines:
  a:
    from: ${from}
    filter: ${filter}
    to: ${to}
${more.replaceAll(/^(?=.)/gm, "    ")}`;
}
