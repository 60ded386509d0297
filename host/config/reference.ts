import { flow } from "./flow.js";
import type { Key } from "./schema.js";
import { formatUnit, UNITS, type Unit, unitPattern } from "./units.js";

const OWN_WORDS = ["unit", "least", "most", "secret", "defaultText"];

/** docs/config.md: every key of the schema, in its order. */
export function configReference(schema: Key): string {
	return `${HEAD}\n${rows(schema, "").join("\n")}\n${TAIL}`;
}

const HEAD = `# The gateway file

<!-- Made from host/config/schema.ts by \`npm run docs\`: change it there. -->

A YAML file. \`wasieve check FILE\` finds every mistake in it, with line and key; \`wasieve run FILE\` runs it.

\`\`\`yaml
broker: mqtt://127.0.0.1:1883
http: 127.0.0.1:3000
pipelines:
  overheat:
    from: { topic: plant/+/press/#, qos: 1 }
    filter: { module: build/overheat.wasm, params: { LIMIT: 85 } }
    to: { topic: "alerts/{1}/{topic}", qos: 1 }
\`\`\`

- Relative paths are relative to the file.
- Sizes are written \`64KiB\`, \`16MiB\` (or KB, MB, GB, GiB), counts \`10M\` (k, M, G), durations \`250ms\`, \`10s\` (m, h, d).
- \`\${NAME}\` is replaced by an environment variable in \`url\`, \`username\` and \`password\` of a broker, and nowhere else.
- \`MQTT_BROKER\` in the environment replaces the URL of the gateway's broker (or \`embedded\`); its other keys stay.
- Editors that know JSON Schema complete and check the file with docs/gateway.schema.json.

## Keys

| key | what | default | example |
|---|---|---|---|`;

const TAIL = `
## What else is checked

- A topic filter and an output topic are valid MQTT; \`{1}\` needs a first wildcard in \`from.topic\`.
- A module is there and passes \`wasieve check\` with the pipeline's limits.
- Certificates and keys can be read and belong together.
- No output can come back as a reading of the same pipeline, directly or by way of others.
- No two connections have the same client id at the same broker, and only one pipeline reads stdin.
- \`at-least-once\` is only promised where both ends have QoS 1 or 2.
- \`wasieve check\` also looks at what is outside of the file, without connecting to anything: engines are there and of a version that works (of a container's
  engine only that it is there), files can be read, file sinks and the quarantine can be written or made. It warns of engines with known flaws, and of images that
  are not on this machine yet.
`;

function rows(key: Key, path: string): string[] {
	return Object.entries(children(key)).flatMap(([name, child]) => {
		const full = path === "" ? name : `${path}.${name}`;
		return [row(full, child, key), ...below(full, child)];
	});
}

/** A pipeline's own broker has the same keys as the gateway's: told once. */
function below(path: string, key: Key): string[] {
	if (path.endsWith(".broker")) return [];
	return rows(key, path);
}

function children(key: Key): Record<string, Key> {
	const { additionalProperties: named } = key;
	if (typeof named === "object" && named.properties !== undefined) {
		return { NAME: named };
	}
	return { ...key.properties };
}

function row(path: string, key: Key, parent: Key): string {
	const name = path.split(".").at(-1) as string;
	const cells = [
		`\`${path}\``,
		cell(`${key.description ?? ""}${range(key)}`),
		parent.required?.includes(name) ? "required" : preset(key),
		(key.examples ?? []).map((example) => code(example)).join(" "),
	];
	return `| ${cells.join(" | ")} |`;
}

/** " A size, 64KiB to 4GiB." and the like. */
function range(key: Key): string {
	if (key.enum && key.enum.length > 1)
		return ` One of ${key.enum.map(code).join(", ")}.`;
	if (key.unit) {
		const kind = UNITS[key.unit].form.replace(/ such as.*/, "");
		const { least = 0, most = 0 } = key;
		const [from, to] = [least, most].map((each) =>
			formatUnit(key.unit as Unit, each),
		);
		return ` (${kind}, ${from} to ${to})`;
	}
	if (key.minimum !== undefined) return ` (${key.minimum} to ${key.maximum})`;
	return "";
}

function preset(key: Key): string {
	if (key.defaultText !== undefined) return cell(key.defaultText);
	return key.default === undefined ? "" : code(key.default);
}

function code(value: unknown): string {
	const text = typeof value === "string" ? value : flow(value);
	return text === "" ? "empty" : `\`${cell(text)}\``;
}

function cell(text: string): string {
	return text.replaceAll("|", "\\|");
}

/** The schema for editors: what ajv does with our own words becomes a pattern. */
export function editorSchema(schema: Key): object {
	const $schema = "http://json-schema.org/draft-07/schema#";
	return { $schema, ...(plain(schema) as object) };
}

function plain(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(plain);
	if (typeof value !== "object" || value === null) return value;
	const { unit } = value as Key;
	const kept = Object.entries(value).filter(
		([name]) => !OWN_WORDS.includes(name),
	);
	return Object.fromEntries([
		...kept.map(([name, each]) => [name, plain(each)]),
		...(typeof unit === "string" ? [["pattern", unitPattern(unit)]] : []),
	]);
}
