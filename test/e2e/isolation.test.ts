import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import { client, inbox, numbers } from "./clients.js";
import {
	freePort,
	kill,
	OVERHEAT,
	runGateway,
	scratch,
	startMosquitto,
} from "./processes.js";

const folder = scratch();

/** Traps on readings that say so. */
const FRAGILE = `import { Reading, alert, run } from "wasieve/assembly";
run((r: Reading): void => {
  if (r.bool("crash")) unreachable();
  alert(r, "fine", "temperature");
});
`;

function reading(n: number, crash: boolean): string {
	return JSON.stringify({
		device_id: "d",
		temperature: 99,
		humidity: 1,
		timestamp: n,
		crash,
	});
}

describe.each([1, 2])(
	"one bad filter harms no other (threads: %i)",
	(threads) => {
		test("it is stopped and says so; the others lose nothing; it resumes on command", async () => {
			const source = join(folder, "fragile.ts");
			writeFileSync(source, FRAGILE);
			const module = join(folder, "fragile.wasm");
			await compileFilter(source, { out: module });
			const port = await freePort();
			await startMosquitto(folder, port);
			const http = await freePort();
			const url = `http://127.0.0.1:${http}`;
			const file = join(folder, `isolation-${threads}.yaml`);
			writeFileSync(
				file,
				`broker: mqtt://127.0.0.1:${port}
http: 127.0.0.1:${http}
threads: ${threads}
quarantine: { dir: ${folder} }
pipelines:
  good:
    from: { topic: s/#, qos: 1 }
    filter: { module: ${OVERHEAT} }
    to: { topic: good, qos: 1 }
  fragile:
    from: { topic: s/#, qos: 1 }
    filter: { module: ${module} }
    to: { topic: fragile, qos: 1 }
    restart: { max: 5, backoff: 1ms, cooldown: 1h }
`,
			);
			const gateway = runGateway(file);
			await gateway.says(/fragile: up/);
			const alerts = await inbox(port, "+");
			const of = (topic: string) =>
				numbers(alerts.messages.filter((each) => each.topic === topic));
			const sender = await client(port);
			const send = (n: number, crash: boolean) =>
				sender.publishAsync("s/1", reading(n, crash), { qos: 1 });

			for (let n = 0; n < 10; n++) await send(n, n >= 5);
			await gateway.says(/E_PIPELINE_STOPPED/);
			for (let n = 10; n < 15; n++) await send(n, false);
			await alerts.until(
				() => of("good").size === 15 && of("fragile").size === 5,
			);

			const down = await fetch(`${url}/health`);
			expect(down.status).toBe(503);
			const said = JSON.stringify(await down.json());
			expect(said).toMatch(/E_PIPELINE_STOPPED/);

			expect(
				(await fetch(`${url}/pipelines/nobody/resume`, { method: "POST" }))
					.status,
			).toBe(404);
			expect(
				(await fetch(`${url}/pipelines/fragile/resume`, { method: "POST" }))
					.status,
			).toBe(200);
			await alerts.until(() => of("fragile").size === 10);
			expect((await fetch(`${url}/health`)).status).toBe(200);

			expect(await kill(gateway.child, "SIGTERM")).toBe(0);
			expect(gateway.log()).toMatch(/good: taken 15 = emitted 15 .* open 0/);
			expect(gateway.log()).toMatch(
				/fragile: taken 15 = emitted 10 .* failed 5 \+ open 0/,
			);
			await sender.endAsync();
			await alerts.client.endAsync();
		});
	},
);
