import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { PipelineSnapshot } from "../contract.js";
import { asWasieveError, WasieveError } from "../errors.js";
import { healthOf } from "./health.js";
import type { Metrics } from "./metrics.js";

export interface HttpOptions {
	host: string;
	/** 0: any free port. */
	port: number;
	snapshots: () => Promise<readonly PipelineSnapshot[]>;
	/** Takes a pipeline up again; false when there is none of that name. */
	resume: (name: string) => Promise<boolean>;
	/** Stops a pipeline until it is resumed; false when there is none of that name. */
	stop: (name: string) => Promise<boolean>;
}

export interface Http {
	/** http://host:port */
	readonly url: string;
	close(): Promise<void>;
}

interface Answer {
	status: number;
	type: string;
	body: string;
	headers?: Record<string, string>;
}

/**
 *   GET  /health                  200 or 503, JSON: why, by pipeline
 *   GET  /metrics                 Prometheus
 *   POST /pipelines/NAME/stop     stops a pipeline …
 *   POST /pipelines/NAME/resume   … and takes it up again
 *
 * @throws {WasieveError} E_HTTP_PORT when it cannot listen
 */
export async function startHttp(options: HttpOptions): Promise<Http> {
	const answer = router(options);
	const server = createServer((request, response) => {
		request.resume(); // no route takes a body
		answer(request).then((found) => reply(request, response, found));
	});
	await listen(server, options);
	const { port } = server.address() as AddressInfo;
	const host = options.host.includes(":") ? `[${options.host}]` : options.host;
	return {
		url: `http://${host}:${port}`,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections(); // a scraper's idle keep-alive
			}),
	};
}

function router(options: HttpOptions) {
	const scrape = scraper(options.snapshots);
	const routes: [RegExp, method: string, (name: string) => Promise<Answer>][] =
		[
			[/^\/health$/, "GET", () => health(options)],
			[/^\/metrics$/, "GET", scrape],
			[/^\/pipelines\/([^/]+)\/resume$/, "POST", commanded(options.resume)],
			[/^\/pipelines\/([^/]+)\/stop$/, "POST", commanded(options.stop)],
		];
	return async (request: IncomingMessage): Promise<Answer> => {
		const path = (request.url ?? "").replace(/\?.*$/s, "");
		for (const [pattern, method, serve] of routes) {
			const match = pattern.exec(path);
			if (match === null) continue;
			if (!takes(method, request)) return notAllowed(method);
			if (method === "POST" && fromPage(request)) return forbidden();
			return serve(match[1] ?? "").catch(failed);
		}
		return json(404, { error: `there is no ${path.slice(0, 200)}` });
	};
}

/** prom-client is loaded when somebody asks: 20 ms of a start and 4 MiB. */
function scraper(snapshots: HttpOptions["snapshots"]) {
	let metrics: Promise<Metrics> | undefined;
	return async (): Promise<Answer> => {
		metrics ??= import("./metrics.js").then(({ createMetrics }) =>
			createMetrics(snapshots),
		);
		const { contentType, text } = await metrics;
		return { status: 200, type: contentType, body: await text() };
	};
}

async function health({ snapshots }: HttpOptions): Promise<Answer> {
	const found = healthOf(await snapshots());
	return json(found.status === "ok" ? 200 : 503, found);
}

function commanded(command: (name: string) => Promise<boolean>) {
	return async (name: string): Promise<Answer> =>
		(await command(name))
			? json(200, { pipeline: name })
			: json(404, { error: `there is no pipeline ${name.slice(0, 64)}` });
}

function takes(method: string, request: IncomingMessage): boolean {
	return (
		request.method === method || (method === "GET" && request.method === "HEAD")
	);
}

/** Any page open in a browser on this machine can post to loopback; browsers say so with these. */
function fromPage({ headers }: IncomingMessage): boolean {
	return headers.origin !== undefined || "sec-fetch-site" in headers;
}

function forbidden(): Answer {
	return json(403, { error: "commands are not taken from web pages" });
}

function notAllowed(method: string): Answer {
	const allow = method === "GET" ? "GET, HEAD" : method;
	const body = { error: `only ${allow} works here` };
	return { ...json(405, body), headers: { allow } };
}

function failed(thrown: unknown): Answer {
	const { code, message, hint } = asWasieveError(thrown);
	return json(503, { error: message, code, hint });
}

function json(status: number, value: object): Answer {
	const body = `${JSON.stringify(value, null, 2)}\n`;
	return { status, type: "application/json", body };
}

function reply(
	request: IncomingMessage,
	response: ServerResponse,
	{ status, type, body, headers }: Answer,
): void {
	response.writeHead(status, {
		"content-type": type,
		"content-length": Buffer.byteLength(body),
		"cache-control": "no-store",
		...headers,
	});
	response.end(request.method === "HEAD" ? undefined : body);
}

function listen(server: Server, { host, port }: HttpOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", (cause: NodeJS.ErrnoException) => {
			const why =
				cause.code === "EADDRINUSE"
					? "is in use"
					: `cannot be used (${cause.code})`;
			const message = `the address ${host}:${port} for /health and /metrics ${why}`;
			const hint = "set another http address in the config, or http: false";
			reject(new WasieveError("E_HTTP_PORT", message, { hint, cause }));
		});
		server.listen(port, host, resolve);
	});
}
