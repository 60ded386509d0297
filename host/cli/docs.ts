import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configReference, editorSchema } from "../config/reference.js";
import { SCHEMA } from "../config/schema.js";
import { CODES, type Code } from "../errors.js";
import { ADVICE } from "./advice.js";
import { packageFolder } from "./version.js";

/** The generated files of docs/, by name; `npm run docs` writes them, a test compares. */
export function referenceDocs(): Record<string, string> {
	return {
		"config.md": configReference(SCHEMA),
		"errors.md": errorReference(),
		"gateway.schema.json": `${JSON.stringify(editorSchema(SCHEMA), null, "\t")}\n`,
	};
}

/** In the order of the table: lowest room first. */
const ROOMS: readonly [RegExp, title: string][] = [
	[/^E_MODULE/, "Loading a module"],
	[/^E_(GUEST|ENGINE)/, "Filters at work"],
	[/^E_(READING|OUTPUT)/, "Readings and outputs"],
	[/^E_(MQTT|BROKER)/, "Brokers"],
	[/^E_(QUARANTINE|FILE)/, "Files"],
	[/^E_PIPELINE/, "Pipelines"],
	[/^E_CONFIG/, "Config"],
	[/^E_(IMAGE|STANDALONE|REGISTRY)/, "Images and registries"],
	[/^E_/, "Gateway and command line"],
];

function errorReference(): string {
	const left = new Set(Object.keys(CODES) as Code[]);
	const parts = ROOMS.map(([pattern, title]) => {
		const codes = [...left].filter((code) => pattern.test(code));
		for (const code of codes) left.delete(code);
		return `## ${title}\n\n| code | what it means | what to do |\n|---|---|---|\n${codes.map(row).join("\n")}\n`;
	});
	return `${HEAD}\n${parts.join("\n")}`;
}

const HEAD = `# Errors

<!-- Made from host/errors.ts and host/cli/advice.ts by \`npm run docs\`: change it there. -->

Every error has a code that stays the same over versions. It appears on stderr, in the log, in /health, as a label in /metrics, and in
the quarantine. In the log a pipeline's failures of one code are one line in 10 s, so that a bad sensor does not fill it: \`repeated\` in the next line counts those
that were left out in between. /metrics counts every one, and the quarantine keeps every one.

The way back from the quarantine: \`jq -r '.payload // empty' quarantine/NAME.ndjson | wasieve exec MODULE.wasm\` tries its readings again (with the \`--param\` of the config).
A payload that is not UTF-8 stands in \`payload_base64\` instead: \`jq -r '.payload_base64 // empty' FILE | while read -r line; do echo "$line" | base64 -d; echo; done\`.

To send them through the gateway again (everybody who subscribes to their topics gets them again, too), here those on which the filter trapped:

\`\`\`sh
jq -r 'select(.code == "E_GUEST_TRAP" and .payload) | .topic, (.payload | gsub("\\n"; " "))' quarantine/NAME.ndjson |
  while IFS= read -r topic && IFS= read -r payload; do mosquitto_pub -q 1 -t "$topic" -m "$payload"; done
\`\`\`

The file stays as it is. What it holds is what the filter was given that failed: of several in a row perhaps what the one before wrote, with \`codec: text\` or \`base64\` the JSON string. \`E_OUTPUT_REFUSED\` keeps
the output with its own topic, \`E_READING_SIZE\` the first 64 KiB.
`;

function row(code: Code): string {
	return `| \`${code}\` | ${CODES[code]} | ${ADVICE[code]} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const docs = join(packageFolder(), "docs");
	for (const [name, text] of Object.entries(referenceDocs())) {
		writeFileSync(join(docs, name), text);
	}
}
