import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PipelineSnapshot } from "#host/contract.js";
import { type Http, startHttp } from "#host/observe/http.js";
import { snapshot } from "./snapshots.js";

let http: Http;
let now: PipelineSnapshot[];
let commands: string[];

beforeEach(async () => {
	now = [snapshot()];
	commands = [];
	const command = (verb: string) => async (name: string) => {
		commands.push(`${verb} ${name}`);
		return name === "overheat";
	};
	http = await startHttp({
		host: "127.0.0.1",
		port: 0,
		snapshots: async () => now,
		resume: command("resume"),
		stop: command("stop"),
	});
});
afterEach(() => http.close());

const get = (path: string, init: RequestInit = {}) =>
	fetch(`${http.url}${path}`, init);

describe("/health", () => {
	test("200 while all is well, 503 with the reason when not, and 200 again", async () => {
		const good = await get("/health");
		expect(good.status).toBe(200);
		expect(await good.json()).toMatchObject({ status: "ok" });
		const reason = {
			code: "E_PIPELINE_STOPPED",
			message: "it trapped 5 times",
			hint: "mend it",
		};
		now = [snapshot({ state: "stopped", reason })];
		const bad = await get("/health?verbose");
		expect(bad.status).toBe(503);
		expect(bad.headers.get("cache-control")).toBe("no-store");
		expect(await bad.json()).toMatchObject({
			status: "failing",
			pipelines: { overheat: { state: "stopped", reason } },
		});
		now = [snapshot()];
		expect((await get("/health")).status).toBe(200);
	});

	test("HEAD has the status and no body", async () => {
		const head = await get("/health", { method: "HEAD" });
		expect(head.status).toBe(200);
		expect(await head.text()).toBe("");
	});
});

test("/metrics", async () => {
	const response = await get("/metrics");
	expect(response.headers.get("content-type")).toMatch(
		/^text\/plain; version=0\.0\.4/,
	);
	expect(await response.text()).toContain(
		'wasieve_readings_taken_total{pipeline="overheat"} 10\n',
	);
});

describe("commands", () => {
	const post = (path: string, headers = {}) =>
		get(path, { method: "POST", headers });

	test("stop and resume a pipeline", async () => {
		expect((await post("/pipelines/overheat/stop")).status).toBe(200);
		expect((await post("/pipelines/overheat/resume")).status).toBe(200);
		expect(commands).toEqual(["stop overheat", "resume overheat"]);
	});

	test("no such pipeline", async () => {
		const response = await post("/pipelines/nope/stop");
		expect(response.status).toBe(404);
		expect(await response.json()).toEqual({
			error: "there is no pipeline nope",
		});
	});

	test("not from a web page", async () => {
		for (const headers of [
			{ origin: "http://evil.example" },
			{ "sec-fetch-site": "cross-site" },
		]) {
			expect((await post("/pipelines/overheat/stop", headers)).status).toBe(
				403,
			);
		}
		expect(commands).toEqual([]);
	});
});

test.each([
	["GET", "/", 404],
	["GET", "/healthz", 404],
	["GET", "/pipelines/overheat", 404],
	["GET", "/pipelines/a/b/stop", 404],
	["POST", "/health", 405],
	["DELETE", "/metrics", 405],
	["GET", "/pipelines/overheat/stop", 405],
])("%s %s: %i", async (method, path, status) => {
	const response = await get(path, { method });
	expect(response.status).toBe(status);
	const allow = path.startsWith("/pipelines") ? "POST" : "GET, HEAD";
	expect(response.headers.get("allow")).toBe(status === 405 ? allow : null);
	expect(await response.json()).toHaveProperty("error");
	expect(commands).toEqual([]);
});

test("snapshots that fail are a 503, not a crash", async () => {
	const broken = await startHttp({
		host: "127.0.0.1",
		port: 0,
		snapshots: async () => {
			throw new Error("thread died");
		},
		resume: async () => true,
		stop: async () => true,
	});
	for (const path of ["/health", "/metrics"]) {
		const response = await fetch(`${broken.url}${path}`);
		expect(response.status).toBe(503);
		expect(await response.json()).toEqual({
			error: "thread died",
			code: "E_INTERNAL",
		});
	}
	await broken.close();
});

test("a port in use, an address that is not ours", async () => {
	const other = createServer().listen(0, "127.0.0.1");
	await new Promise((resolve) => other.once("listening", resolve));
	const { port } = other.address() as AddressInfo;
	const rest = {
		snapshots: async () => [],
		resume: async () => true,
		stop: async () => true,
	};
	await expect(
		startHttp({ host: "127.0.0.1", port, ...rest }),
	).rejects.toMatchObject({
		code: "E_HTTP_PORT",
		message: `the address 127.0.0.1:${port} for /health and /metrics is in use`,
		hint: "set another http address in the config, or http: false",
	});
	other.close();
	await expect(
		startHttp({ host: "192.0.2.1", port: 0, ...rest }),
	).rejects.toMatchObject({
		code: "E_HTTP_PORT",
		message:
			"the address 192.0.2.1:0 for /health and /metrics cannot be used (EADDRNOTAVAIL)",
	});
});
