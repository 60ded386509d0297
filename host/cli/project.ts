import { packageJson } from "./version.js";

export interface Project {
	/** Of package, filter and module: letters, digits, hyphens. */
	name: string;
	/** What npm is asked for as "wasieve". */
	wasieve: string;
}

/** The files of a new filter project by path. Its README's commands are tested (test/cli/new.test.ts). */
export function projectFiles(project: Project): Record<string, string> {
	return {
		"README.md": readme(project),
		"package.json": packageFile(project),
		"tsconfig.json": TSCONFIG,
		".gitignore": "node_modules/\nbuild/\nquarantine/\n",
		"src/filter.ts": filter(project),
		"test/filter.test.mjs": test(project),
		"test/in.ndjson": IN,
		"test/out.ndjson": OUT,
		"gateway.yaml": gateway(project),
	};
}

function readme({ name }: Project): string {
	return `# ${name}

A [wasieve](https://www.npmjs.com/package/wasieve) filter: readings in, alerts out.

\`\`\`sh
npm install
npm test          # compiles src/filter.ts, runs test/in.ndjson through it, compares with test/out.ndjson
npm run check     # what the module imports, exports and may use
\`\`\`

One reading by hand:

\`\`\`sh
echo '{"device_id":"press-1","temperature":91.2,"humidity":40,"timestamp":1}' | npx wasieve exec build/${name}.wasm --param LIMIT=90
\`\`\`

On a gateway, with a broker on 127.0.0.1:1883 (or MQTT_BROKER set):

\`\`\`sh
npx wasieve check gateway.yaml
npx wasieve run gateway.yaml
\`\`\`

\`npm test\` also refuses a filter that asks for a field which no reading in \`test/in.ndjson\` has: a typo in a name is found here.
\`src/filter.ts\` is the filter, \`test/\` its fixtures: add a line to \`in.ndjson\` and what should come of it to \`out.ndjson\`.
A reading that the filter rejects fails the test, unless its line on stderr stands in \`REJECTED\` of \`test/filter.test.mjs\`.
`;
}

function packageFile({ name, wasieve }: Project): string {
	const content = {
		name,
		version: "0.1.0",
		private: true,
		type: "module",
		scripts: {
			build: `wasieve build src/filter.ts -o build/${name}.wasm --readings test/in.ndjson`,
			check: `wasieve check build/${name}.wasm`,
			test: "npm run --silent build && node --test",
		},
		devDependencies: {
			// for the editor: tsconfig.json extends its types
			assemblyscript: packageJson().optionalDependencies.assemblyscript,
			wasieve,
		},
	};
	return `${JSON.stringify(content, null, "\t")}\n`;
}

/** Only for the editor: AssemblyScript's types instead of JavaScript's. */
const TSCONFIG = `{
	"extends": "assemblyscript/std/assembly.json",
	"include": ["src/**/*.ts"]
}
`;

function filter({ name }: Project): string {
	return `/**
 * ${name}: tells when it gets too hot.
 *
 * in:  {"device_id":"press-1","temperature":91.2,"timestamp":1700000000000}
 * out: {"device_id":"press-1","alert_type":"high_temperature","value":91.2,"timestamp":1700000000000}
 */
import { alert, param, Reading, run } from "wasieve/assembly";

const limit = param("LIMIT", 85.0);

run((r: Reading): void => {
	if (r.f64("temperature") > limit) alert(r, "high_temperature", "temperature");
});
`;
}

function test({ name }: Project): string {
	return `import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** What it says on stderr about in.ndjson: a line for each reading that it is right to reject. */
const REJECTED = "";

/** What the filter writes when it reads \`input\`; what it rejects, and why, has to be what is expected. */
function filter(input, rejected, ...options) {
	const args = ["exec", path("../build/${name}.wasm"), ...options];
	const ran = spawnSync(path("../node_modules/.bin/wasieve"), args, { input, encoding: "utf8" });
	assert.equal(ran.status, 0, ran.stderr);
	assert.equal(ran.stderr, rejected);
	return ran.stdout;
}

test("in.ndjson becomes out.ndjson", () => {
	const input = readFileSync(path("in.ndjson"), "utf8");
	assert.equal(filter(input, REJECTED), readFileSync(path("out.ndjson"), "utf8"));
});

test("LIMIT moves the limit", () => {
	const reading = '{"device_id":"press-1","temperature":91.2,"humidity":40,"timestamp":1}\\n';
	assert.equal(filter(reading, "", "--param", "LIMIT=95"), "");
	assert.match(filter(reading, "", "--param", "LIMIT=91"), /"value":91.2/);
});
`;
}

const IN = `{"device_id":"press-1","temperature":84.9,"humidity":40,"timestamp":1700000000000}
{"device_id":"press-1","temperature":91.2,"humidity":40.5,"timestamp":1700000001000}
{"device_id":"press-2","temperature":20,"humidity":55,"timestamp":1700000001500}
{"device_id":"press-2","temperature":8.60e1,"humidity":38,"timestamp":1700000002000}
`;

const OUT = `{"device_id":"press-1","alert_type":"high_temperature","value":91.2,"timestamp":1700000001000}
{"device_id":"press-2","alert_type":"high_temperature","value":8.60e1,"timestamp":1700000002000}
`;

function gateway({ name }: Project): string {
	return `broker: mqtt://127.0.0.1:1883      # MQTT_BROKER overrides
pipelines:
  ${name}:
    from: { topic: plant/+/press/#, qos: 1 }
    filter: { module: build/${name}.wasm, params: { LIMIT: 85 } }
    to: { topic: "alerts/{1}/{topic}", qos: 1 }
`;
}
