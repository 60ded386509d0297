/** Not part of npm test: npx vitest run --config test/long/vitest.config.ts */
import { expect, test } from "vitest";
import { flat } from "../sdk/flat.js";
import { fixture } from "../sdk/guest.js";

test("memory stays flat under strings, 220 MB of readings", async () => {
	await flat(await fixture("strings"), 220);
	expect.hasAssertions();
}, 300_000);
