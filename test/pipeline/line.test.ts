import { describe, expect, test } from "vitest";
import type { Batch } from "#host/contract.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { WasieveError } from "#host/errors.js";
import { inline } from "../engine/inline-engine.js";
import { trackedFixture } from "../engine/tracked-filter.js";
import {
	batchOf,
	pass,
	ScriptedEngine,
	SILENT,
	say,
	scriptedLine,
} from "./parts.js";

/** What take() leaves to the microtask queue has happened. */
const settled = () => Promise.resolve();

const trap = () => new WasieveError("E_GUEST_TRAP", "trapped");

test("the sink is up before the source, and everything is closed in the order of the flow", async () => {
	const { line, story } = scriptedLine();
	await line.start();
	await line.stop();
	expect(story).toEqual([
		"sink up",
		"engine up",
		"source up",
		"source stopped",
		"engine ended",
		"sink drained",
		"engine closed",
		"source closed",
		"sink closed",
	]);
	expect(line.state).toBe("ended");
});

describe("acknowledgement", () => {
	test("waits for the outputs of a reading, in order", async () => {
		const { line, source, sink } = scriptedLine();
		await line.start();
		source.intake.take(batchOf(["a", "1"], ["b", "2"], ["c", "3"]));
		await settled();
		expect(sink.committed.map(({ topic }) => topic)).toEqual([
			"out/a",
			"out/b",
			"out/c",
		]);
		expect(source.acknowledged).toBe(0);
		sink.deliver(2);
		expect(source.acknowledged).toBe(2);
		sink.deliver(1);
		expect(source.acknowledged).toBe(3);
	});

	test("comes at once for readings without outputs", async () => {
		const { line, source, engine } = scriptedLine();
		engine.work = (batch, outcomes) => {
			outcomes.begin();
			outcomes.commit();
			outcomes.consumed(batch, 0, batch.count);
		};
		await line.start();
		source.intake.take(batchOf(["a", "1"]));
		expect(source.acknowledged).toBe(1);
		expect(line.account().droppedBy).toEqual({ none: 1 });
	});

	test("an output in the second filter still holds its reading", async () => {
		const { line, source, sink, engines } = scriptedLine({}, (story) => [
			new ScriptedEngine(story),
			new ScriptedEngine(story, (batch, outcomes) => {
				outcomes.begin();
				for (let i = 0; i < batch.count; i++) {
					say(batch, i, outcomes, `<${batch.payload(i)}>`);
					say(batch, i, outcomes, `[${batch.payload(i)}]`);
				}
				outcomes.commit();
				outcomes.consumed(batch, 0, batch.count);
			}),
		]);
		expect(engines).toHaveLength(2);
		await line.start();
		source.intake.take(batchOf(["a", "1"], ["b", "2"]));
		expect(sink.committed).toEqual([
			{ n: 0, topic: "out/a", text: "<1>" },
			{ n: 0, topic: "out/a", text: "[1]" },
			{ n: 1, topic: "out/b", text: "<2>" },
			{ n: 1, topic: "out/b", text: "[2]" },
		]);
		sink.deliver(3);
		expect(source.acknowledged).toBe(1);
		sink.deliver(1);
		expect(source.acknowledged).toBe(2);
		expect(line.account()).toMatchObject({ taken: 2, emitted: 2, open: 0 });
	});
});

/** A line with the engine that passes on what begins with e, and traps at x; its sink has enough for now. */
async function fullLine() {
	const module = await loadFilter(await trackedFixture("contract"), {
		memory: 1 << 24,
	});
	const parts = scriptedLine({ engines: [inline(module)] });
	await parts.line.start();
	parts.sink.ready = false;
	return parts;
}

test.each(["stop", "kill"] as const)(
	"a line whose sink has enough can %s",
	async (how) => {
		const { line, source, sink } = await fullLine();
		source.intake.take(batchOf(["a", "e1"], ["a", "e2"]));
		const stopped = line.stop();
		await settled();
		expect(sink.committed).toEqual([]);
		if (how === "kill") {
			await line.kill();
			await line.ended;
			expect(source.acknowledged).toBe(0);
			return;
		}
		sink.ready = true;
		sink.keeper.ready();
		await stopped;
		expect(source.acknowledged).toBe(2);
	},
);

test("what a source hands over as soon as it may does not overtake what waited", async () => {
	const { line, source, sink } = await fullLine();
	source.intake.take(batchOf(["a", "x"], ["a", "e2"], ["a", "e3"]));
	expect(source.paused).toBe(true);
	let more = 1;
	source.resume = () => {
		source.paused = false;
		if (more-- > 0) source.intake.take(batchOf(["a", "e4"]));
	};
	sink.ready = true;
	sink.keeper.ready();
	expect(sink.committed.map(({ text }) => text)).toEqual(["e2", "e3", "e4"]);
	sink.deliver(3);
	expect(source.acknowledged).toBe(4);
	expect(source.paused).toBe(false);
	await line.stop();
});

describe("what may not pass", () => {
	test("is kept with topic, code and reason; the rest of the batch goes on", async () => {
		const { line, source, sink, quarantine } = scriptedLine();
		await line.start();
		source.intake.take(
			batchOf(["a", "1"], ["b", "\x1ec9"], ["c", "x".repeat(65)], ["d", "4"]),
		);
		expect(sink.committed.map(({ n, text }) => [n, text])).toEqual([
			[0, "1"],
			[3, "4"],
		]);
		expect(quarantine.kept).toMatchObject([
			{ topic: "b", code: "E_READING_RS", payload: Buffer.from("\x1ec9") },
			{ topic: "c", code: "E_READING_SIZE", time: 1000, pipeline: "test" },
		]);
		sink.deliver(2);
		expect(source.acknowledged).toBe(4);
		expect(line.account()).toMatchObject({ emitted: 2, failed: 2, open: 0 });
	});

	test("an expired reading is dropped and counted as such", async () => {
		const { line, source, sink } = scriptedLine();
		await line.start();
		const batch = batchOf(["a", "1"], ["b", "2"]);
		batch.expires[0] = 999;
		batch.expires[1] = 1001;
		source.intake.take(batch);
		expect(sink.committed.map(({ text }) => text)).toEqual(["2"]);
		expect(line.account().droppedBy).toEqual({ expired: 1 });
	});

	test("a reading that the source refuses has a number and an end like all others", async () => {
		const { line, source, quarantine } = scriptedLine();
		await line.start();
		const error = new WasieveError("E_READING_SIZE", "10 MB");
		expect(source.intake.refuse("big", Buffer.from("abc"), error)).toBe(0);
		await settled();
		expect(source.acknowledged).toBe(1);
		expect(quarantine.kept).toMatchObject([{ topic: "big" }]);
	});

	test("with a codec, payloads that are not JSON pass as JSON strings", async () => {
		const { line, source, sink } = scriptedLine({ codec: "base64" });
		await line.start();
		source.intake.take(batchOf(["a", "\x1e\n\0"], ["b", '"']));
		expect(sink.committed.map(({ topic, text }) => [topic, text])).toEqual([
			["out/a", '"HgoA"'],
			["out/b", '"Ig=="'],
		]);
	});
});

describe("failures", () => {
	const failing = (
		batch: Parameters<typeof pass>[0],
		outcomes: Parameters<typeof pass>[1],
	) => {
		outcomes.begin();
		say(batch, 0, outcomes, "half");
		outcomes.rollback();
		outcomes.begin();
		outcomes.fail(batch, 0, trap());
		outcomes.commit();
		outcomes.consumed(batch, 0, batch.count);
	};

	test("what was rolled back leaves no trace", async () => {
		const { line, source, sink, engine, quarantine } = scriptedLine();
		engine.work = failing;
		await line.start();
		source.intake.take(batchOf(["a", "1"]));
		await settled();
		expect(sink.committed).toEqual([]);
		expect(quarantine.kept).toMatchObject([{ code: "E_GUEST_TRAP" }]);
		expect(source.acknowledged).toBe(1);
	});

	test("a quarantine that cannot be written is counted, and the line goes on", async () => {
		const { line, source, engine, quarantine } = scriptedLine();
		engine.work = failing;
		quarantine.error = new WasieveError("E_QUARANTINE_WRITE", "disk full");
		await line.start();
		source.intake.take(batchOf(["a", "1"]));
		await settled();
		expect(line.traffic.failures.lost).toBe(1);
		expect(source.acknowledged).toBe(1);
	});

	test("onError: drop counts and keeps nothing", async () => {
		const { line, source, engine, quarantine } = scriptedLine({
			onError: "drop",
		});
		engine.work = failing;
		await line.start();
		source.intake.take(batchOf(["a", "1"]));
		await settled();
		expect(quarantine.kept).toEqual([]);
		expect(line.account().failedBy).toEqual({ E_GUEST_TRAP: 1 });
	});

	test("onError: stop pauses the source, acknowledges nothing, and tries again on resume", async () => {
		const { line, source, sink, engine } = scriptedLine({ onError: "stop" });
		engine.work = failing;
		await line.start();
		source.intake.take(batchOf(["a", "1"]));
		await settled();
		expect(line.state).toBe("stopped");
		expect(line.reason?.code).toBe("E_PIPELINE_ONERROR");
		expect(source.paused).toBe(true);
		expect(source.acknowledged).toBe(0);
		engine.work = pass;
		await line.resume();
		expect(source.paused).toBe(false);
		sink.deliver(1);
		expect(source.acknowledged).toBe(1);
		expect(line.account()).toMatchObject({ emitted: 1, failed: 0, open: 0 });
	});

	test("an output without a possible topic fails its reading", async () => {
		const { line, source, engine, quarantine } = scriptedLine();
		engine.work = (batch, outcomes) => {
			outcomes.begin();
			outcomes.output(batch, 0, Buffer.from("x"), 0, 1, "not/allowed");
			outcomes.commit();
			outcomes.consumed(batch, 0, 1);
		};
		await line.start();
		source.intake.take(batchOf(["a", "1"]));
		await settled();
		expect(quarantine.kept).toMatchObject([{ code: "E_OUTPUT_TOPIC" }]);
		expect(source.acknowledged).toBe(1);
	});

	test("the log has the reading that onError: stop stopped on, and the way back", async () => {
		const said: object[] = [];
		const log = { ...SILENT, error: (fields: object) => said.push(fields) };
		const long = "ü".repeat(4000);
		const { line, source } = scriptedLine(
			{ onError: "stop", log, readingLimit: 1 << 16, codec: "text" },
			(story) => [new ScriptedEngine(story, failing)],
		);
		await line.start();
		source.intake.take(batchOf(["plant/1", long]));
		expect(said).toEqual([
			{
				pipeline: "test",
				code: "E_PIPELINE_ONERROR",
				topic: "plant/1",
				payload: `"${long.slice(0, 2047)}`,
				payload_bytes: 8002,
				hint: expect.stringMatching(
					/the reading, which this line of the log has, .*; to resume: POST \/resume$/,
				),
			},
		]);
		await line.stop();
	});

	test.each([
		[
			{},
			"mend it; tried again by itself in 60 s; to resume at once: POST /resume",
		],
		[{ cooldown: 0 }, "mend it; to resume: POST /resume"],
		[{ cooldown: 0, finite: true }, "mend it; then run it again"],
	])(
		"a filter that gave up, with %j: the hint says how it goes on",
		async (options, hint) => {
			const { line, engine } = scriptedLine(options);
			await line.start();
			engine.outcomes.stopped(
				new WasieveError("E_PIPELINE_STOPPED", "too often", {
					hint: "mend it",
				}),
			);
			expect(line.reason).toMatchObject({ code: "E_PIPELINE_STOPPED", hint });
			await line.kill();
		},
	);

	test("ends are told apart, and only what was said to be down is said to be up again", async () => {
		const said: string[] = [];
		const say = (_: object, text: string) => said.push(text);
		const log = { ...SILENT, warn: say, info: say };
		const { line, source, sink } = scriptedLine({ log });
		await line.start();
		const gone = new WasieveError("E_MQTT_CONNECT", "b closed the connection.");
		for (let i = 0; i < 2; i++) {
			source.intake.health(gone);
			sink.keeper.health(gone);
			source.intake.health(undefined);
			sink.keeper.health(undefined);
		}
		expect(said).toEqual([
			"source: b closed the connection.",
			"sink: b closed the connection.",
			"source connected again",
			"sink connected again",
		]);
		await line.stop();
	});

	test("a module that cannot run leaves it stopped, and the next cool-down looks again", async () => {
		const said: string[] = [];
		const log = {
			...SILENT,
			error: (_: object, text: string) => said.push(text),
		};
		const { line, engine } = scriptedLine({ cooldown: 1, log });
		await line.start();
		let looked = 0;
		engine.renew = async () => {
			if (looked++ === 0) throw new WasieveError("E_MODULE_MAGIC", "no wasm");
		};
		engine.outcomes.stopped(new WasieveError("E_PIPELINE_STOPPED", "gave up"));
		await expect.poll(() => line.state).toBe("running");
		expect(said).toEqual(["stopped: gave up", "stays stopped: no wasm"]);
		expect(looked).toBe(2);
		expect(engine.restarted).toBe(1);
		await line.stop();
	});

	test("an engine that gave up stops the line; the source stays paused until resume", async () => {
		const { line, source, engine } = scriptedLine();
		await line.start();
		engine.outcomes.stopped(
			new WasieveError("E_PIPELINE_STOPPED", "too often"),
		);
		expect(line.state).toBe("stopped");
		expect(source.paused).toBe(true);
		await line.resume();
		expect(engine.restarted).toBe(1);
		expect(source.paused).toBe(false);
		await line.stop();
	});
});

describe("back-pressure", () => {
	test("the source is paused while too many readings are open", async () => {
		const { line, source, sink } = scriptedLine({ window: 2 });
		await line.start();
		source.intake.take(batchOf(["a", "1"], ["b", "2"]));
		expect(source.paused).toBe(true);
		sink.deliver(1);
		expect(source.paused).toBe(false);
	});

	test("and while engine or sink have enough", async () => {
		const { line, source, sink, engine } = scriptedLine();
		await line.start();
		sink.ready = false;
		source.intake.take(batchOf(["a", "1"]));
		expect(source.paused).toBe(true);
		sink.ready = true;
		sink.keeper.ready();
		expect(source.paused).toBe(false);
		engine.ready = false;
		source.intake.take(batchOf(["a", "1"]));
		expect(source.paused).toBe(true);
		engine.ready = true;
		engine.outcomes.ready();
		expect(source.paused).toBe(false);
	});
});

describe("stop and resume", () => {
	const tooOften = () => new WasieveError("E_PIPELINE_STOPPED", "too often");
	const onCommand = () => new WasieveError("E_PIPELINE_STOPPED", "on command");
	const startFault = () => new WasieveError("E_GUEST_START", "no hello");
	/** The timers that the process waits for. */
	const timers = () =>
		process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")
			.length;

	test("readings that a slow filter drops are acknowledged though nothing else happens", async () => {
		const { line, source, engine } = scriptedLine();
		const fed: Batch[] = [];
		engine.work = (batch) => fed.push(batch.copy());
		await line.start();
		source.intake.take(batchOf(["a", "1"], ["b", "2"]));
		await settled();
		engine.outcomes.begin();
		engine.outcomes.commit();
		engine.outcomes.consumed(fed[0] as Batch, 0, 2);
		expect(source.acknowledged).toBe(2);
	});

	test("stop() while a filter cannot start closes everything", async () => {
		const { line, engine, story } = scriptedLine();
		engine.start = async () => {
			throw startFault();
		};
		engine.end = async () => {
			throw new TypeError("never started");
		};
		const up = line.start().catch((error: unknown) => error);
		await expect.poll(() => line.state).toBe("stopped");
		await line.stop();
		expect(story).toContain("source closed");
		expect(await up).toMatchObject({ code: "E_PIPELINE_STOPPED" });
		expect(story).not.toContain("source up");
	});

	test("stop() while a filter starts: it is not tried again, no source is opened", async () => {
		const before = timers();
		const { line, engine, story } = scriptedLine({ cooldown: 1 });
		let reject: (error: Error) => void = () => {};
		engine.start = () => new Promise((_resolve, no) => (reject = no));
		engine.close = async () => reject(startFault());
		const up = line.start().catch((error: unknown) => error);
		await settled();
		await line.stop();
		expect(await up).toMatchObject({ code: "E_GUEST_START" });
		expect(timers()).toBe(before);
		expect(line.state).toBe("ended");
		expect(story).not.toContain("source up");
	});

	test("a finite line ends with a filter that cannot start", async () => {
		const before = timers();
		const { line, engine } = scriptedLine({ finite: true });
		engine.start = () => Promise.reject(startFault());
		const up = line.start().catch((error: unknown) => error);
		await line.ended;
		expect(timers()).toBe(before);
		expect(line.snapshot()).toMatchObject({
			state: "stopped",
			reason: { code: "E_GUEST_START" },
		});
		await line.stop();
		expect(await up).toMatchObject({ code: "E_PIPELINE_STOPPED" });
	});

	test("a finite line that is to be tried again has not ended", async () => {
		const before = timers();
		const { line, engine } = scriptedLine({ finite: true });
		await line.start();
		engine.outcomes.stopped(tooOften());
		expect(timers()).toBe(before + 1);
		await line.stop();
	});

	test.each([[{ cooldown: 0 }], [{ onError: "stop" as const }]])(
		"a finite line with %j ends where it is stopped until told otherwise",
		async (options) => {
			const { line, source, engine } = scriptedLine({
				finite: true,
				...options,
			});
			engine.work = (batch, outcomes) => {
				if ("cooldown" in options) return outcomes.stopped(tooOften());
				outcomes.begin();
				outcomes.fail(batch, 0, trap());
				outcomes.commit();
				outcomes.consumed(batch, 0, 1);
			};
			await line.start();
			source.intake.take(batchOf(["a", "1"]));
			await line.ended;
			expect(line.state).toBe("stopped");
			await line.stop();
			expect(source.acknowledged).toBe(0);
		},
	);

	test("a filter that gives up while the line stops leaves no timer behind", async () => {
		const before = timers();
		const { line, engine } = scriptedLine();
		await line.start();
		engine.end = async () => engine.outcomes.stopped(tooOften());
		await line.stop();
		expect(timers()).toBe(before);
	});

	/** A line that onError: stop has stopped, with one reading. */
	async function stoppedByReading() {
		const scripted = scriptedLine({ onError: "stop" });
		scripted.engine.work = (batch, outcomes) => {
			outcomes.begin();
			outcomes.fail(batch, 0, trap());
			outcomes.commit();
			outcomes.consumed(batch, 0, 1);
		};
		await scripted.line.start();
		scripted.source.intake.take(batchOf(["a", "1"]));
		await settled();
		return scripted;
	}

	test("what onError: stop kept survives a filter that cannot start again", async () => {
		const { line, source, sink, engine } = await stoppedByReading();
		const restart = engine.restart;
		engine.restart = async () => {
			throw startFault();
		};
		await line.resume();
		expect(line.state).toBe("stopped");
		expect(line.reason?.code).toBe("E_GUEST_START");
		engine.restart = restart;
		engine.work = pass;
		await line.resume();
		sink.deliver(1);
		expect(source.acknowledged).toBe(1);
		await line.stop();
	});

	test("what onError: stop kept survives a defect while it is fed again", async () => {
		const { line, source, sink, engine } = await stoppedByReading();
		engine.work = () => {
			throw new TypeError("a defect");
		};
		await line.resume();
		expect(line.state).toBe("stopped");
		expect(line.reason?.code).toBe("E_INTERNAL");
		engine.work = pass;
		await line.resume();
		expect(source.paused).toBe(false);
		sink.deliver(1);
		expect(source.acknowledged).toBe(1);
		await line.stop();
	});

	test("a command outlives a cool-down, whichever comes first", async () => {
		for (const first of ["filter", "command"]) {
			const before = timers();
			const { line, engine } = scriptedLine();
			await line.start();
			if (first === "command") line.halt(onCommand());
			engine.outcomes.stopped(tooOften());
			if (first === "filter") line.halt(onCommand());
			expect(line.reason?.message).toBe("on command");
			expect(timers()).toBe(before);
		}
	});

	test("timers of filters rest while their outputs cannot leave", async () => {
		const { line, sink, engine } = scriptedLine();
		let ticks = 0;
		engine.tickEvery = 1;
		engine.tick = () => ticks++;
		sink.ready = false;
		await line.start();
		const looks = new Promise<void>((resolve) => {
			let left = 3;
			Object.defineProperty(sink, "ready", {
				get: () => {
					if (--left === 0) resolve();
					return false;
				},
			});
		});
		await looks;
		expect(ticks).toBe(0);
		Object.defineProperty(sink, "ready", { value: true });
		await expect.poll(() => ticks).toBeGreaterThan(0);
		await line.stop();
	});

	test("refused readings count towards the window", async () => {
		const { line, source, quarantine } = scriptedLine({ window: 1 });
		const kept: (() => void)[] = [];
		quarantine.keep = (_failed, done) => kept.push(done);
		await line.start();
		const error = new WasieveError("E_READING_SIZE", "10 MB");
		source.intake.refuse("big", Buffer.from("abc"), error);
		expect(source.paused).toBe(true);
		kept[0]?.();
		expect(source.paused).toBe(false);
	});
});
