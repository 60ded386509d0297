/** What ends a filter that was built for debugging names the author's line, whatever ends it and wherever it runs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import { type FilterModule, loadFilter } from "#host/engine/filter-module.js";
import { wasieve } from "../cli/child.js";
import { inline } from "../engine/inline-engine.js";
import { Record } from "../engine/record.js";
import { batchOf } from "../pipeline/parts.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FILTER = `import { Reading, emit, run } from "wasieve/assembly";
import { share } from "./share";

function down(n: i32): i32 {
  return 1 + down(n + 1);
}

const list = [1.0, 2.0];

run((r: Reading): void => {
  const kind = r.str("kind");
  let sum = 0;
  for (let k = 0; k < 100; k++) sum += k;
  if (kind == "divide") emit().i64("v", share(sum, <i32>r.i64("n")));
  if (kind == "deep") emit().i64("v", down(1));
  if (kind == "index") emit().f64("v", list[9]);
  if (kind == "loop") {
    while (sum > 0) {
      sum |= 1;
    }
  }
  if (kind == "memory") emit().i64("v", load<i32>(0x7fffffff));
  if (kind == "end") unreachable();
});
`;
const SHARE = `export function share(total: i32, parts: i32): i32 {
  const count = parts;
  return total / count;
}
`;

const KINDS = [
	["divide", "divide by zero at share.ts:3:10"],
	// In the function or in the mark before its statement, as the frames happen to fit.
	["deep", "Maximum call stack size exceeded at filter.ts:5:"],
	["index", "unreachable at filter.ts:16:40 (its last words: filter.ts:16:"],
	["loop", "used up its fuel at filter.ts:19:7"],
	["memory", "out of bounds at filter.ts:22:41"],
	["end", "unreachable at filter.ts:23:22"],
] as const;
const reading = (kind: string) => `{"kind":"${kind}","n":0}`;

const out = join(folder, "out.wasm");
let module: FilterModule;

beforeAll(async () => {
	writeFileSync(join(folder, "filter.ts"), FILTER);
	writeFileSync(join(folder, "share.ts"), SHARE);
	const file = join(folder, "filter.ts");
	const { bytes } = await compileFilter(file, { out, debug: true });
	module = await loadFilter(bytes, { memory: 2 ** 24 });
});

describe("on the gateway's thread", () => {
	test.each(KINDS)("%s: %s", async (kind, expected) => {
		const engine = inline(module);
		const record = new Record();
		await engine.start(record);
		engine.feed(batchOf(["t", reading(kind)]));
		expect(record.restarts[0]?.message).toContain(expected);
		await engine.close();
	});
});

test("by hand, with and without a time limit", async () => {
	const [kind, expected] = KINDS[0];
	for (const more of [[], ["--time", "10s"]]) {
		const options = { input: reading(kind) };
		const ran = await wasieve(["exec", out, ...more], options);
		expect(ran.stderr).toBe(
			`wasieve: E_GUEST_TRAP: the filter trapped: ${expected}\n`,
		);
		expect(ran.code).toBe(134);
	}
});

test("built for production it has no lines, and says how to get them", async () => {
	const fast = join(folder, "fast.wasm");
	await compileFilter(join(folder, "filter.ts"), { out: fast });
	const { stderr } = await wasieve(["exec", fast], {
		input: reading("divide"),
	});
	expect(stderr).toContain("divide by zero (build with --debug for lines)");
});
