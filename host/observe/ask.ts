import { get, type IncomingMessage } from "node:http";
import type { Fault, PipelineState } from "../contract.js";
import { WasieveError } from "../errors.js";

/** What of /health the asker needs; the whole answer is in `body`. */
export interface HealthAnswer {
	readonly ok: boolean;
	readonly pipelines: readonly {
		readonly name: string;
		readonly state: PipelineState;
		readonly reason?: Fault;
	}[];
	readonly body: object;
}

/** A gateway of ten thousand pipelines, each with its longest reason. */
const LARGEST = 32 * 1024 * 1024;

/** Who listens everywhere is asked on the loopback. */
const EVERYWHERE: Readonly<Record<string, string>> = {
	"0.0.0.0": "127.0.0.1",
	"::": "::1",
};

/**
 * Asks the gateway at `host:port` for its health, for at most `timeout` ms in all.
 * @throws {WasieveError} E_HEALTH_CONNECT, E_HEALTH_ANSWER
 */
export async function askHealth(
	{ host, port }: { host: string; port: number },
	timeout: number,
): Promise<HealthAnswer> {
	const near = EVERYWHERE[host] ?? host;
	const url = `http://${near.includes(":") ? `[${near}]` : near}:${port}/health`;
	const { status, text } = await fetchText(url, timeout);
	const body = parse(text);
	if (isHealth(body)) {
		const all = Object.entries(body.pipelines);
		return {
			ok: status === 200 && body.status === "ok",
			pipelines: all.map(([name, { state, reason }]) => ({
				name,
				state,
				...(isFault(reason) && { reason }),
			})),
			body,
		};
	}
	const { error = `status ${status}` } = (body ?? {}) as { error?: unknown };
	throw stranger(url, String(error).slice(0, 200));
}

function stranger(url: string, what: string, cause?: unknown): WasieveError {
	return new WasieveError(
		"E_HEALTH_ANSWER",
		`${url} gave an answer that is not a gateway's health (${what})`,
		{ hint: "is this the address that the gateway's `http` names?", cause },
	);
}

async function fetchText(
	url: string,
	timeout: number,
): Promise<{ status: number; text: string }> {
	const signal = AbortSignal.timeout(timeout);
	try {
		const answer = await begin(url, signal);
		return { status: answer.statusCode ?? 0, text: await readText(answer) };
	} catch (thrown) {
		throw silent(url, signal.aborted ? signal.reason : thrown, timeout);
	}
}

function begin(url: string, signal: AbortSignal): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		get(url, { agent: false, signal }, resolve).on("error", reject);
	});
}

async function readText(answer: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	let size = 0;
	for await (const part of answer) {
		size += part.length;
		if (size > LARGEST) throw new Error("the answer does not end");
		parts.push(part);
	}
	return Buffer.concat(parts).toString();
}

function silent(
	url: string,
	cause: NodeJS.ErrnoException,
	timeout: number,
): WasieveError {
	const why: Readonly<Record<string, string>> = {
		ECONNREFUSED: "nothing listens there",
		TimeoutError: `no answer in ${timeout / 1000} s`,
	};
	// A deadline's code is a number.
	if (/^HPE_/.test(String(cause.code))) return stranger(url, "no HTTP", cause);
	const known = why[cause.code ?? ""] ?? why[cause.name];
	return new WasieveError(
		"E_HEALTH_CONNECT",
		`${url}: ${known ?? (cause.message || cause.code)}`,
		{
			hint: "is the gateway running, and is this the address that its `http` names?",
			cause,
		},
	);
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

interface Body {
	status: unknown;
	pipelines: Record<string, { state: PipelineState; reason?: unknown }>;
}

/** Anything may listen at an address: the answer is looked at before it is believed. */
function isHealth(body: unknown): body is Body {
	const { status, pipelines } = (body ?? {}) as Partial<Body>;
	return (
		(status === "ok" || status === "failing") &&
		typeof pipelines === "object" &&
		pipelines !== null &&
		Object.values(pipelines).every((each) => typeof each?.state === "string")
	);
}

function isFault(reason: unknown): reason is Fault {
	const { code, message } = (reason ?? {}) as Partial<Fault>;
	return typeof code === "string" && typeof message === "string";
}
