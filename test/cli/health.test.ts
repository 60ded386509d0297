import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcp } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PipelineSnapshot } from "#host/contract.js";
import { startHttp } from "#host/observe/http.js";
import { snapshot } from "../observe/snapshots.js";
import { folder, inPlace, wasieve } from "./child.js";

const away = {
	code: "E_MQTT_CONNECT",
	message: "No connection to mqtt://b: nothing listens there.",
	hint: "Start it.",
};

const health = (...args: string[]) => inPlace(["health", ...args], folder());

/** The /health of a gateway with these pipelines; its HOST:PORT. */
async function gateway(...now: PipelineSnapshot[]): Promise<string> {
	const http = await startHttp({
		host: "127.0.0.1",
		port: 0,
		snapshots: async () => now,
		resume: async () => true,
		stop: async () => true,
	});
	onTestFinished(() => http.close());
	return http.url.replace("http://", "");
}

/** Anything else that listens. */
async function other(answer: RequestListener): Promise<string> {
	const server = createServer(answer);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	onTestFinished(() => {
		server.close();
		server.closeAllConnections();
	});
	return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function config(text: string): string {
	const path = join(folder(), "gateway.yaml");
	writeFileSync(path, text);
	return path;
}

describe("wasieve health", () => {
	it("says that every pipeline runs, as a process of its own", async () => {
		const at = await gateway(
			snapshot(),
			snapshot({ name: "file", state: "ended" }),
		);
		expect(await wasieve(["health", "--http", at])).toMatchObject({
			code: 0,
			stdout: "overheat: running\nfile: ended\n",
			stderr: "",
		});
	});

	it("says which one does not, and why", async () => {
		const at = await gateway(
			snapshot(),
			snapshot({ name: "b", source: { connected: false, error: away } }),
		);
		expect(await health("--http", at)).toEqual({
			code: 1,
			stdout: `overheat: running\nb: degraded, ${away.code}: ${away.message}\n`,
			stderr: "",
		});
		const { stdout, code } = await health("--http", at, "--json");
		expect(code).toBe(1);
		expect(JSON.parse(stdout)).toMatchObject({
			status: "failing",
			pipelines: { overheat: { state: "running" }, b: { reason: away } },
		});
	});

	it("finds the address in the config, whatever else is wrong there", async () => {
		const at = await gateway(snapshot());
		const everywhere = at.replace("127.0.0.1", "0.0.0.0");
		for (const http of [at, everywhere, at.replace(/.*:/, "")]) {
			const path = config(`http: ${http}\npipelines: 7\nbroker: "\${NO}"\n`);
			expect(await health(path)).toMatchObject({ code: 0, stderr: "" });
		}
		const elsewhere = config("http: 127.0.0.1:1\n");
		expect(await health(elsewhere, "--http", at)).toMatchObject({ code: 0 });
	});

	it.each([
		["http: false", 2, "lets no gateway answer"],
		["pipelines: {}", 2, "lets no gateway answer"],
		["- a", 3, "must be a map of keys"],
		["hello", 3, "must be a map of keys"],
		["http: 0", 2, "any free port"],
		["http: nowhere", 3, "must be host:port"],
		["http: [", 3, "E_CONFIG_YAML"],
	])("has no address to ask in `%s`", async (text, code, why) => {
		const ran = await health(config(`${text}\n`));
		expect(ran).toMatchObject({ code, stdout: "" });
		expect(ran.stderr).toContain(why);
	});

	it.each([["missing.yaml"], ["."]])("%s is no config", async (path) => {
		const ran = await health(path);
		expect(ran).toMatchObject({ code: 3, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_CONFIG_READ: .*\n {2}hint: /);
	});

	it.each([
		["--http", "x"],
		["--http", "127.0.0.1:0"],
		["--http", "127.0.0.1:65536"],
		["--timeout", "0"],
		["--timeout", "5"],
		["--timeout", "100d"],
		["a", "b"],
	])("refuses %s %s", async (...args) => {
		expect(await health(...args)).toMatchObject({ code: 2, stdout: "" });
	});
});

describe("no gateway", () => {
	it("nothing listens", async () => {
		const ran = await health("--http", "127.0.0.1:1");
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(
			/^error E_HEALTH_CONNECT: .*:1\/health: nothing listens there\n {2}hint: /,
		);
		const { code, stdout } = await health("--http", "127.0.0.1:1", "--json");
		expect(code).toBe(1);
		expect(JSON.parse(stdout)).toMatchObject({
			status: "unreachable",
			error: { code: "E_HEALTH_CONNECT", hint: expect.any(String) },
		});
	});

	it.each<[string, RequestListener]>([
		["says nothing", () => {}],
		["stops half-way", (_, response) => response.write('{"status":')],
	])("gives up on one that %s", async (_, answer) => {
		const at = await other(answer);
		const ran = await health("--http", at, "--timeout", "100ms");
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toContain("no answer in 0.1 s");
	});

	it.each([
		["a page", 200, "<html>"],
		["nothing", 200, ""],
		["null", 200, "null"],
		["another JSON", 200, '{"status":"ok"}'],
		["a pipeline of null", 200, '{"status":"ok","pipelines":{"a":null}}'],
		["the failure of a gateway", 503, '{"error":"it is stopping"}'],
	])("is not fooled by %s", async (_, status, body) => {
		const at = await other((__, response) =>
			response.writeHead(status).end(body),
		);
		const ran = await health("--http", at);
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_HEALTH_ANSWER: /);
		if (status === 503) expect(ran.stderr).toContain("(it is stopping)");
	});

	it("keeps control characters from the terminal", async () => {
		const pipelines = { "\u001b[2Ja": { state: "running" } };
		const at = await other((_, response) =>
			response.end(JSON.stringify({ status: "ok", pipelines })),
		);
		const { stdout } = await health("--http", at);
		expect(stdout).toBe("?[2Ja: running\n");
	});

	it("does not read for ever", async () => {
		const megabyte = " ".repeat(2 ** 20);
		const at = await other((_, response) => {
			const more = () => {
				while (response.write(megabyte));
				response.once("drain", more);
			};
			more();
		});
		const ran = await health("--http", at, "--timeout", "60s");
		expect(ran.stderr).toContain("the answer does not end");
	});

	it("does not speak HTTP", async () => {
		const server = createTcp((socket) => socket.end("\x20\x02\x00\x05"));
		await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
		onTestFinished(() => {
			server.close();
		});
		const { port } = server.address() as AddressInfo;
		const ran = await health("--http", `127.0.0.1:${port}`);
		expect(ran.code).toBe(1);
		expect(ran.stderr).toMatch(/^error E_HEALTH_ANSWER: .*\(no HTTP\)/);
	});
});
