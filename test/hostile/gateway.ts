import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { client, inbox, numbers, reading } from "../e2e/clients.js";
import { freePort, kill, OVERHEAT, runGateway } from "../e2e/processes.js";
import type { Hostile } from "./modules.js";
import { stackFlaws } from "./runs.js";

/** Readings the good pipeline gets; the hostile ones get two, from the broker's memory. */
const COUNT = 200;
/** What a gateway with a worker per hostile module may have in memory at its worst, bytes: 60 MB and 16 per worker. */
const swollen = (workers: number) => (80 + 24 * workers) * 1e6;

/**
 * A gateway with a good pipeline and all of these beside it. Returns what is wrong: a good reading lost, a
 * swollen or crashed gateway, a stop that is not in order. Empty when nothing is.
 */
export async function gatewayFlaws(
	folder: string,
	port: number,
	modules: readonly Hostile[],
): Promise<string[]> {
	const http = await freePort();
	const topic = `t${http}`;
	const good = await session(port, topic);
	const alerts = await inbox(port, `${topic}/alerts`);
	for (const name of ["1", "2"]) {
		await good.publishAsync(`${topic}/bad/${name}`, reading(1, 99), {
			qos: 1,
			retain: true,
		});
	}
	const gateway = runGateway(configOf(folder, { port, http, topic }, modules));
	await gateway.says(/"msg"|up/);
	for (let n = 0; n < COUNT / 2; n++) {
		await good.publishAsync(topic, reading(n, 99), { qos: 1 });
	}
	await judged(http, modules.length);
	for (let n = COUNT / 2; n < COUNT; n++) {
		await good.publishAsync(topic, reading(n, 99), { qos: 1 });
	}
	await alerts.until(() => numbers(alerts.messages).size === COUNT);

	const peak = peakBytes(gateway.child.pid as number);
	const code = await kill(gateway.child, "SIGTERM");
	await good.endAsync();
	await alerts.client.endAsync();
	const flaws = stackFlaws(gateway.log());
	if (peak > swollen(modules.length)) flaws.push(`it swelled to ${peak} bytes`);
	if (code !== 0) flaws.push(`it stopped with exit code ${code}`);
	if (!gateway.log().includes(`good: taken ${COUNT} = emitted ${COUNT} `))
		flaws.push("the good pipeline lost readings");
	return flaws.length === 0 ? [] : [...flaws, gateway.log().slice(-6000)];
}

/** Subscribed for the good pipeline before it is there: the broker keeps what comes until it is. */
async function session(port: number, topic: string) {
	const options = { clientId: topic, clean: false };
	const early = await client(port, options);
	await early.subscribeAsync(topic, { qos: 1 });
	await early.endAsync();
	return client(port);
}

function configOf(
	folder: string,
	{ port, http, topic }: { port: number; http: number; topic: string },
	modules: readonly Hostile[],
): string {
	const file = join(folder, `${topic}.yaml`);
	const hostile = modules.map(({ name, bytes }, k) => {
		writeFileSync(join(folder, `${name}.wasm`), bytes);
		return `  h${k}:
    from: { topic: "${topic}/bad/#", qos: 1, session: clean }
    filter: { module: ${name}.wasm }
    to: { topic: "${topic}/out", qos: 1 }
    restart: { max: 2, backoff: 1ms, cooldown: 1h }
`;
	});
	writeFileSync(
		file,
		`broker: mqtt://127.0.0.1:${port}
http: 127.0.0.1:${http}
quarantine: { dir: ${folder}/quarantine-${topic} }
pipelines:
  good:
    from: { topic: ${topic}, qos: 1, clientId: ${topic} }
    filter: { module: ${OVERHEAT} }
    to: { topic: "${topic}/alerts", qos: 1 }
${hostile.join("")}`,
	);
	return file;
}

/** Resolves when every hostile pipeline has been stopped, or is done with both readings. */
async function judged(http: number, count: number): Promise<void> {
	for (;;) {
		const answer = await fetch(`http://127.0.0.1:${http}/health`);
		const { pipelines } = (await answer.json()) as {
			pipelines: Record<
				string,
				{ state: string; readings: { taken: number; open: number } }
			>;
		};
		const done = Object.entries(pipelines).filter(
			([name, { state, readings }]) =>
				name !== "good" &&
				(state === "stopped" || (readings.taken >= 2 && readings.open === 0)),
		);
		if (done.length === count) return;
	}
}

/** Most that the process has had in memory. */
function peakBytes(pid: number): number {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
