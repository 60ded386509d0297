import { parentPort, workerData } from "node:worker_threads";
import type { Log } from "../contract.js";
import { asWasieveError } from "../errors.js";
import { faultData } from "../pipeline/snapshot.js";
import { type Lines, openLines } from "./lines.js";
import type { FromThread, ThreadData, ToThread } from "./threads.js";

/** A thread that runs some of the gateway's pipelines; see threads.ts for the other side. */
const { config, names, thread } = workerData as ThreadData;
const tell = (message: FromThread) => parentPort?.postMessage(message);

const say =
	(level: keyof Log) =>
	(fields: object, message: string): void =>
		tell({ event: "log", level, fields, message });

const lines = await openLines(config, {
	names,
	thread,
	clock: Date.now,
	log: {
		debug: say("debug"),
		info: say("info"),
		warn: say("warn"),
		error: say("error"),
	},
	stdin: process.stdin,
	stdout: process.stdout,
});

parentPort?.on("message", async (question: ToThread) => {
	const { id } = question;
	try {
		tell({ id, answer: await answer(question, lines) });
	} catch (thrown) {
		tell({ id, fault: faultData(asWasieveError(thrown)) });
	}
});
tell({ event: "open" });
lines.up.then(
	() => tell({ event: "up" }),
	() => {},
);
lines.ended.then(() => tell({ event: "ended" }));

function answer(question: ToThread, of: Lines): unknown {
	switch (question.ask) {
		case "snapshots":
			return of.snapshots();
		case "resume":
			return of.resume(question.name);
		case "halt":
			return of.halt(question.name);
		case "stop":
			return of.stop();
		case "kill":
			return of.kill();
	}
}
