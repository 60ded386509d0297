import type { Batch } from "../contract.js";
import { WasieveError } from "../errors.js";

/** A piece of a compiled output topic. */
type Part =
	| { kind: "literal"; bytes: Buffer }
	| { kind: "topic" }
	/** The topic level that `+` matched, or with `rest` all levels that `#` matched. */
	| { kind: "level"; level: number; rest: boolean }
	| { kind: "field"; name: string }
	| { kind: "suffix" };

/** Longest MQTT topic: a two-byte length [MQTT-1.5.4]. */
export const TOPIC_MAX = 65_535;

const SLASH = 0x2f;

/** A sink copies a topic before it returns, so thousands of pipelines need 64 KiB once. */
const ROOM = Buffer.allocUnsafeSlow(TOPIC_MAX);

/**
 * The output topic of a pipeline, compiled once: "alerts/{1}/{topic}" with {topic} the reading's
 * topic, {1}… what the wildcards of the pipeline's topic filter matched, {suffix} the suffix of
 * emitTo() and any other {name} a string or number field of the output.
 */
export class OutputTopic {
	/** The rendered topic is bytes[0, length), until the next one is rendered: one room for all of a thread. */
	readonly bytes: Buffer = ROOM;
	length = 0;
	readonly #parts: readonly Part[];
	readonly #takesSuffix: boolean;

	constructor(
		readonly template: string,
		filter: string,
	) {
		this.#parts = compile(template, wildcardLevels(filter));
		this.#takesSuffix = this.#parts.some((part) => part.kind === "suffix");
	}

	/** Whether the topic depends on which reading an output came from. */
	get attributed(): boolean {
		return this.#parts.some(
			(part) => part.kind === "topic" || part.kind === "level",
		);
	}

	/**
	 * Builds the topic of an output (bytes[start, end)) caused by reading i of the batch.
	 * Returns what is wrong, or undefined when the topic is ready.
	 */
	render(
		batch: Batch,
		i: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		suffix: string,
	): WasieveError | undefined {
		this.length = 0;
		if (suffix !== "" && !this.#takesSuffix) {
			return unbuildable(
				`the filter asked for the topic suffix "${suffix}", but to.topic "${this.template}" has no {suffix}`,
				"put {suffix} where the filter's suffix may go, or use a filter without emitTo()",
			);
		}
		for (const part of this.#parts) {
			const wrong =
				part.kind === "literal"
					? this.#add(part.bytes, 0, part.bytes.length)
					: part.kind === "field"
						? this.#addField(part.name, bytes, start, end)
						: part.kind === "suffix"
							? this.#addSuffix(suffix)
							: this.#addFromTopic(part, batch, i);
			if (wrong !== undefined) return wrong;
		}
		if (this.length === 0) {
			return unbuildable("it is empty", "give to.topic a fixed first level");
		}
		return undefined;
	}

	#addFromTopic(
		part: { kind: "topic" } | { kind: "level"; level: number; rest: boolean },
		batch: Batch,
		i: number,
	): WasieveError | undefined {
		if (i < 0) {
			return unbuildable(
				`"${this.template}" needs the reading's topic, but no single reading caused this output (a timer or the end of input)`,
				"use a fixed to.topic or fields of the output for filters with timers",
			);
		}
		const topic = batch.topicIn[i] as Buffer;
		let from = batch.topicAt[i] as number;
		let to = batch.topicEnd[i] as number;
		if (part.kind === "level") {
			for (let level = 0; level < part.level && from <= to; level++) {
				from = indexOfSlash(topic, from, to) + 1;
			}
			// "#" also matches its parent level: nothing is left then [MQTT-4.7.1-2]
			if (from > to) from = to;
			if (!part.rest) to = indexOfSlash(topic, from, to);
		}
		return this.#add(topic, from, to);
	}

	#addField(
		name: string,
		bytes: Uint8Array,
		start: number,
		end: number,
	): WasieveError | undefined {
		const value = fieldOf(bytes, start, end, name);
		if (typeof value !== "string" && typeof value !== "number") {
			return unbuildable(
				`the output has no string or number field "${name}", which to.topic "${this.template}" asks for`,
				"let the filter write that field, or take it out of to.topic",
			);
		}
		const text = String(value);
		if (text === "" || /[+#/\0]/.test(text)) {
			return unbuildable(
				`the field "${name}" is ${JSON.stringify(text.slice(0, 64))}, which cannot be one topic level`,
				"a level must not be empty nor hold + # / or NUL",
			);
		}
		return this.#addText(text);
	}

	#addSuffix(suffix: string): WasieveError | undefined {
		if (/[+#\0]/.test(suffix)) {
			return unbuildable(
				`the suffix ${JSON.stringify(suffix.slice(0, 64))} holds + # or NUL`,
				"emitTo() takes topic levels without wildcards",
			);
		}
		if (suffix !== "") return this.#addText(suffix);
		// "alerts/{suffix}" without a suffix is "alerts"
		if (this.length > 0 && this.bytes[this.length - 1] === SLASH) this.length--;
		return undefined;
	}

	#addText(text: string): WasieveError | undefined {
		const bytes = Buffer.from(text);
		return this.#add(bytes, 0, bytes.length);
	}

	#add(from: Buffer, at: number, end: number): WasieveError | undefined {
		if (this.length + end - at > TOPIC_MAX) {
			return unbuildable(
				`it is longer than ${TOPIC_MAX} bytes`,
				"shorten to.topic",
			);
		}
		// Short copies in a loop: a call into Buffer.copy costs more than 30 bytes do.
		for (let k = at; k < end; k++)
			this.bytes[this.length++] = from[k] as number;
		return undefined;
	}
}

/** Indices of the levels that are wildcards in a topic filter, shared-subscription prefix left out. */
export function wildcardLevels(filter: string): number[] {
	const levels = filter.replace(/^\$share\/[^/]*\//, "").split("/");
	return levels.flatMap((level, i) =>
		level === "#" ? [~i] : level === "+" ? [i] : [],
	);
}

function compile(template: string, wildcards: readonly number[]): Part[] {
	return template
		.split(/(\{[^{}]*\})/)
		.filter((text) => text !== "")
		.map((text): Part => {
			if (!/^\{.*\}$/.test(text)) {
				return { kind: "literal", bytes: Buffer.from(text) };
			}
			const name = text.slice(1, -1);
			if (name === "topic" || name === "suffix") return { kind: name };
			if (!/^[1-9]\d*$/.test(name)) return { kind: "field", name };
			const level = wildcards[Number(name) - 1];
			if (level === undefined) {
				throw new WasieveError(
					"E_CONFIG_TOPIC",
					`to.topic "${template}" uses ${text}, but the topic filter has ${wildcards.length} wildcard(s)`,
				);
			}
			return level < 0
				? { kind: "level", level: ~level, rest: true }
				: { kind: "level", level, rest: false };
		});
}

function fieldOf(
	bytes: Uint8Array,
	start: number,
	end: number,
	name: string,
): unknown {
	try {
		const text = Buffer.from(
			bytes.buffer,
			bytes.byteOffset + start,
			end - start,
		);
		const value: unknown = JSON.parse(text.toString());
		return typeof value === "object" &&
			value !== null &&
			Object.hasOwn(value, name)
			? (value as Record<string, unknown>)[name]
			: undefined;
	} catch {
		return undefined;
	}
}

function indexOfSlash(topic: Buffer, from: number, to: number): number {
	for (let k = from; k < to; k++) if (topic[k] === SLASH) return k;
	return to;
}

function unbuildable(why: string, hint: string): WasieveError {
	return new WasieveError(
		"E_OUTPUT_TOPIC",
		`the output's topic cannot be built: ${why}`,
		{ hint },
	);
}
