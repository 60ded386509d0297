import { basename } from "node:path";
import type { Ending } from "../engine/exec.js";
import { executeInline } from "../engine/exec-tracked.js";
import { loadFilter } from "../engine/filter-module.js";
import { WasieveError } from "../errors.js";
import { LineSource } from "../store/line-source.js";
import { valueAt } from "./fields.js";
import { type InBand, millisecondsOf } from "./in-band.js";
import type { Io } from "./io.js";

interface Given extends InBand {
	path: string;
	args: readonly string[];
	/** "K=V" */
	params: readonly string[];
	memory: number;
	fuel: number;
	output: number;
}

/** Bytes of the longest line: the filter says itself what it takes, and rejects the rest. */
const LONGEST = 1 << 28;
const SIZE = 64 * 1024 * 1024;

/** `wasieve exec` with topics and times, as a gateway tells them. Throws E_MODULE_*. */
export async function runInBand(
	given: Given,
	bytes: Buffer,
	{ stdin, stderr }: Io,
): Promise<Ending> {
	const { path, args, params: env, memory, fuel, output, topic } = given;
	const module = await loadFilter(bytes, { memory, size: SIZE });
	if (!module.info.inline) throw tooForeign(module.info.notInlineBecause);
	const time = new ReadingTime(given);
	const input = { name: topic, path: "stdin", open: async () => stdin };
	try {
		return await executeInline(
			{
				...{ module, env, args: [basename(path), ...args] },
				limits: { fuel, output, reading: LONGEST },
			},
			new LineSource([input], LONGEST),
			time,
		);
	} finally {
		// It may be left half read, and would keep the process.
		stdin.destroy();
		if (time.unknown) stderr.write(`wasieve: ${nowhere(given)}\n`);
	}
}

/** Probably a typo: the filter's timers have not fired. */
function nowhere({ timeField }: InBand): string {
	return `--time-field ${timeField}: no reading has a time there (milliseconds since 1970, or a text such as 2026-01-31T12:00:00Z)`;
}

/** The time of the last reading that had one; it never goes back. */
class ReadingTime {
	#now: number;
	/** Readings seen, and those of them that had a time. */
	#seen = 0;
	#timed = 0;
	readonly #field: string | undefined;

	constructor({ now = 0, timeField }: InBand) {
		this.#now = now;
		this.#field = timeField;
	}

	get unknown(): boolean {
		return this.#field !== undefined && this.#seen > 0 && this.#timed === 0;
	}

	readonly clock = () => this.#now;

	readonly before = (payload: Buffer): void => {
		if (this.#field === undefined) return;
		const own = millisecondsOf(valueAt(parsed(payload), this.#field));
		this.#seen++;
		if (own === undefined) return;
		this.#timed++;
		this.#now = Math.max(this.#now, own);
	};
}

/** What is no JSON has no time; the filter says what is wrong with it. */
function parsed(payload: Buffer): unknown {
	try {
		return JSON.parse(payload.toString());
	} catch {
		return undefined;
	}
}

function tooForeign(why = "it was made elsewhere"): WasieveError {
	return new WasieveError(
		"E_MODULE_EXPORT",
		`topics and times are for filters made with the SDK that run inline: ${why}`,
		{ hint: "leave out --topic, --now and --time-field" },
	);
}
