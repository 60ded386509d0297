import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import v8 from "node:v8";
import { expect, test } from "vitest";
import { COUNTED, takeCensus } from "../../bench/census.mjs";
import { openCutter } from "../../bench/load/cutter.mjs";
import { client, inbox, numbers, reading } from "./clients.js";
import {
	freePort,
	OVERHEAT,
	runGateway,
	scratch,
	startMosquitto,
} from "./processes.js";

const folder = scratch();
/** Until what is made once has been made. */
const WARM = 20;
const ROUNDS = 100;

function config(port: number): string {
	const file = join(folder, "memory.yaml");
	writeFileSync(
		file,
		`broker: { url: "mqtt://127.0.0.1:${port}", reconnect: { min: 1ms, max: 1ms } }
http: false
quarantine: { dir: ${JSON.stringify(join(folder, "quarantine"))} }
pipelines:
  memory:
    from: { topic: s/#, qos: 1 }
    filter: { module: ${JSON.stringify(OVERHEAT)} }
    limits: { fuel: 5k }
    restart: { backoff: 0ms }
    to: { topic: "alerts/{topic}", qos: 1 }
`,
	);
	return file;
}

/** More work than the limit allows: the end of its instance. */
const DEADLY = JSON.stringify({ note: "x".repeat(60_000), temperature: 99 });

/** Objects alive once nothing is on its way any more: a hundred more or less are while a connection is made. */
async function settled(gateway: ChildProcess): Promise<number> {
	const counts: unknown[] = [];
	while (counts.length < 3 || new Set(counts.slice(-3)).size > 1)
		counts.push((await takeCensus(gateway)).objects);
	return Number(counts.at(-1));
}

const countable = "queryObjects" in v8;

test.skipIf(!countable)(
	`no object is kept of a bad reading, a filter that dies or a connection that breaks${countable ? "" : " (Node 20.13 is the first that can count)"}`,
	async () => {
		const port = await freePort();
		await startMosquitto(folder, port);
		const cutter = await openCutter(port);
		const gateway = runGateway(config(cutter.port), COUNTED);
		await gateway.says(/memory: up/);
		const alerts = await inbox(port, "alerts/#");
		const sender = await client(port);
		let sent = 0;
		async function round() {
			cutter.cut();
			for (const payload of ["{", DEADLY, reading(sent++)])
				await sender.publishAsync("s/1", payload, { qos: 1 });
			await alerts.until(() =>
				numbers(alerts.messages.slice(-9)).has(sent - 1),
			);
		}
		for (let i = 0; i < WARM; i++) await round();
		const before = await settled(gateway.child);
		for (let i = 0; i < ROUNDS; i++) await round();
		const after = await settled(gateway.child);
		expect(gateway.log()).toMatch(/"code":"E_GUEST_FUEL"/);
		const kept = after - before;
		expect(kept / ROUNDS, "objects kept a round").toBeLessThan(0.5);
		cutter.close();
		await sender.endAsync();
		await alerts.client.endAsync();
	},
);
