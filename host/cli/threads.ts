import { Worker } from "node:worker_threads";
import type { GatewayConfig } from "../config/types.js";
import type { Fault, Log, PipelineSnapshot } from "../contract.js";
import { CODES, type Code, WasieveError } from "../errors.js";
import { faultData } from "../pipeline/snapshot.js";
import type { RemoteLines } from "./gateway.js";
import type { Surroundings } from "./lines.js";

/** What the main thread asks a pipeline thread. */
export type Question =
	| { ask: "snapshots" }
	| { ask: "resume" | "halt"; name: string }
	| { ask: "stop" | "kill" };

/** What crosses between them; answers carry the question's id. */
export type ToThread = { id: number } & Question;
export type FromThread =
	| { id: number; answer: unknown }
	| { id: number; fault: Fault }
	| { event: "open" | "up" | "ended" }
	| { event: "log"; level: keyof Log; fields: object; message: string };

/** What a pipeline thread is started with. */
export interface ThreadData {
	config: GatewayConfig;
	names: string[];
	thread: number;
}

/** Pause before a thread that died is started again, ms. */
const REVIVE = 1000;

/**
 * Spreads the pipelines over `threads` threads that share nothing: each has sockets and
 * publishers of its own, no reading crosses threads. This thread only asks and supervises; a
 * thread that dies is started again, and with persistent sessions the broker delivers again what it
 * had not acknowledged.
 */
export async function openThreads(
	config: GatewayConfig,
	around: Omit<Surroundings, "names" | "thread">,
	script = new URL("./thread.js", import.meta.url),
): Promise<RemoteLines> {
	const names = Object.keys(config.pipelines);
	const count = Math.min(config.threads, names.length);
	const threads = Array.from(
		{ length: count },
		(_, thread) =>
			new PipelineThread(
				{
					config,
					names: names.filter((_name, k) => k % count === thread),
					thread,
				},
				around,
				script,
			),
	);
	const close = async () => {
		await Promise.all(threads.map((thread) => thread.close()));
	};
	try {
		await Promise.all(threads.map((thread) => thread.opened));
	} catch (thrown) {
		await close();
		throw thrown;
	}
	const of = (name: string) => threads[names.indexOf(name) % count];
	return {
		up: Promise.all(threads.map((thread) => thread.up)).then(() => {}),
		ended: Promise.all(threads.map((thread) => thread.ended)).then(() => {}),
		snapshots: async () => {
			const parts = await Promise.all(threads.map((each) => each.snapshots()));
			return names.map(
				(name) =>
					parts.flat().find((each) => each.name === name) as PipelineSnapshot,
			);
		},
		resume: async (name) =>
			names.includes(name) &&
			((await of(name)?.ask<boolean>({ ask: "resume", name })) ?? false),
		halt: async (name) =>
			names.includes(name) &&
			((await of(name)?.ask<boolean>({ ask: "halt", name })) ?? false),
		stop: async () => {
			await Promise.all(threads.map((thread) => thread.stop()));
			await close();
		},
		kill: close,
	};
}

interface Asker {
	resolve(answer: unknown): void;
	reject(error: WasieveError): void;
}

class PipelineThread {
	readonly opened: Promise<void>;
	readonly up: Promise<void>;
	readonly ended: Promise<void>;
	/** Undefined while there is none: it has died and is not started again yet. */
	#worker: Worker | undefined;
	#asked = new Map<number, Asker>();
	#next = 0;
	#opened = false;
	#stopping = false;
	/** Last known, for while the thread is being started again. */
	#last: PipelineSnapshot[] = [];
	#fault: WasieveError | undefined;
	#revival: NodeJS.Timeout | undefined;
	readonly #resolve: Record<"open" | "up" | "ended", () => void> = {
		open() {},
		up() {},
		ended() {},
	};
	#reject: (error: WasieveError) => void = () => {};

	constructor(
		readonly data: ThreadData,
		readonly around: Pick<Surroundings, "log" | "stdin">,
		readonly script: URL,
	) {
		this.opened = new Promise((resolve, reject) => {
			this.#resolve.open = resolve;
			this.#reject = reject;
		});
		this.up = new Promise((resolve) => {
			this.#resolve.up = resolve;
		});
		this.ended = new Promise((resolve) => {
			this.#resolve.ended = resolve;
		});
		this.#worker = this.#start();
	}

	async snapshots(): Promise<PipelineSnapshot[]> {
		if (this.#fault === undefined) {
			const now = await this.ask<PipelineSnapshot[]>({ ask: "snapshots" });
			this.#last = now ?? this.#last;
			return this.#last;
		}
		const reason = faultData(this.#fault);
		return this.#last.map((each) => ({ ...each, state: "stopped", reason }));
	}

	/** Undefined when there is nobody to answer. Rejects with what the work threw. */
	ask<T>(question: Question): Promise<T | undefined> {
		return new Promise((resolve, reject) => {
			if (this.#worker === undefined) {
				resolve(undefined);
				return;
			}
			const id = this.#next++;
			this.#asked.set(id, {
				resolve: resolve as (answer: unknown) => void,
				reject,
			});
			this.#worker.postMessage({ id, ...question } satisfies ToThread);
		});
	}

	/** Staged stop. A thread that is dead, or dies now, is not started again. */
	async stop(): Promise<void> {
		this.#stopping = true;
		clearTimeout(this.#revival);
		await this.ask({ ask: "stop" });
		// The last account, for those who ask after the end.
		await this.snapshots();
	}

	async close(): Promise<void> {
		this.#stopping = true;
		clearTimeout(this.#revival);
		const worker = this.#worker;
		this.#worker = undefined;
		await worker?.terminate();
		this.#answerAll();
	}

	#start(): Worker {
		const stdin = this.#readsStdin;
		const worker = new Worker(this.script, { workerData: this.data, stdin });
		if (stdin && worker.stdin) this.around.stdin.pipe(worker.stdin);
		worker.on("message", (message: FromThread) => this.#hear(message));
		worker.on("error", (error) => {
			this.#fault = died(error, this.data.thread);
		});
		worker.on("exit", () => {
			if (worker === this.#worker) this.#exited();
		});
		return worker;
	}

	/** A thread has no stdin of its own: the process's is passed on to the one that reads it. */
	get #readsStdin(): boolean {
		const { config, names } = this.data;
		return names.some((name) => config.pipelines[name]?.from.kind === "stdin");
	}

	#hear(message: FromThread): void {
		if ("id" in message) {
			const asker = this.#asked.get(message.id);
			this.#asked.delete(message.id);
			if ("fault" in message) asker?.reject(faultOf(message.fault));
			else asker?.resolve(message.answer);
		} else if (message.event === "log") {
			this.around.log[message.level](message.fields, message.message);
		} else {
			if (message.event === "open") {
				this.#fault = undefined;
				this.#opened = true;
			}
			this.#resolve[message.event]();
		}
	}

	#exited(): void {
		this.#worker = undefined;
		this.#fault ??= new WasieveError(
			"E_INTERNAL",
			`thread ${this.data.thread} ended by itself`,
		);
		this.#reject(this.#fault);
		this.around.log.error(faultData(this.#fault), this.#fault.message);
		this.#answerAll();
		if (this.#stopping || !this.#opened) return;
		this.#revival = setTimeout(() => {
			this.#worker = this.#start();
		}, REVIVE);
	}

	/** Nobody waits for a thread that is gone. */
	#answerAll(): void {
		for (const { resolve } of this.#asked.values()) resolve(undefined);
		this.#asked.clear();
	}
}

/** What a thread threw, of a class again. */
function faultOf({ code, message, hint }: Fault): WasieveError {
	return new WasieveError(code as Code, message, { hint: hint || undefined });
}

/** Errors keep their own properties on the way out of a thread, but not their class. */
function died(
	error: Error & { code?: unknown; hint?: unknown },
	thread: number,
): WasieveError {
	const { code, hint, message } = error;
	if (typeof code === "string" && Object.hasOwn(CODES, code)) {
		const more = typeof hint === "string" ? { hint } : {};
		return new WasieveError(code as Code, message, { ...more, cause: error });
	}
	return new WasieveError("E_INTERNAL", `thread ${thread} died: ${message}`, {
		cause: error,
		hint: "please report this; the thread is started again",
	});
}
