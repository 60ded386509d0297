import { isTopicFilter, isTopicName, sharedFilter } from "../mqtt/topics.js";

/** What is wrong with a topic filter of `from`, as [what, hint]; undefined when it is right. */
export function filterFault(filter: string): [string, string] | undefined {
	if (isTopicFilter(filter)) return undefined;
	const levels = sharedFilter(filter).split("/");
	const what = `${JSON.stringify(filter)} is not a topic filter`;
	if (filter === "") return [what, "for example: plant/+/press/#"];
	if (levels.slice(0, -1).some((level) => level.includes("#"))) {
		return [what, "# may only be the last level"];
	}
	if (levels.some((level) => level.length > 1 && /[+#]/.test(level))) {
		return [what, "+ and # stand for a whole level: a/+/c, not a/b+/c"];
	}
	return [
		what,
		"a filter has at most 65,535 bytes and no NUL; a shared one is $share/GROUP/FILTER",
	];
}

/** What is wrong with an output topic template by itself, as [what, hint]. */
export function templateFault(template: string): [string, string] | undefined {
	const literal = template.replaceAll(/\{([^{}]*)\}/g, "x");
	const shown = JSON.stringify(template);
	if (/[{}]/.test(literal)) {
		return [`${shown} has a brace without its partner`, PLACEHOLDERS];
	}
	if (!isTopicName(literal)) {
		return [
			`${shown} is not a topic to publish to`,
			"it must not be empty nor hold + # or NUL; {1} stands for what the first wildcard matched",
		];
	}
	return undefined;
}

/**
 * What is wrong with a template's placeholders. `filter` is the topic filter of `from`, undefined
 * when readings have no topic.
 */
export function placeholdersFault(
	template: string,
	filter: string | undefined,
): [string, string] | undefined {
	for (const name of placeholders(template)) {
		const fault = placeholderFault(name, filter);
		if (!fault) continue;
		const [what, hint] = fault;
		return [`${JSON.stringify(template)} has {${name}}, ${what}`, hint];
	}
	return undefined;
}

const PLACEHOLDERS =
	"{topic}, {1}, {2} …, {suffix} and {FIELD} of the output are filled in";

function placeholders(template: string): string[] {
	return [...template.matchAll(/\{([^{}]*)\}/g)].map(
		([, name]) => name as string,
	);
}

function placeholderFault(
	name: string,
	filter: string | undefined,
): [string, string] | undefined {
	if (!/^\d+$/.test(name)) {
		if (name === "topic" && filter === undefined) return NO_TOPIC;
		if (/^[\p{L}_$][\p{L}\p{N}_$.-]*$/u.test(name)) return undefined;
		return ["which is neither a number nor the name of a field", PLACEHOLDERS];
	}
	if (filter === undefined) return NO_TOPIC;
	const count = wildcards(filter).length;
	const number = Number(name);
	if (number >= 1 && number <= count && name === String(number)) {
		return undefined;
	}
	const has = count === 0 ? "no wildcard" : count === 1 ? "1" : `only ${count}`;
	return [
		`but from.topic ${JSON.stringify(filter)} has ${has}${count === 0 ? "" : ` wildcard${count === 1 ? "" : "s"}`}`,
		count === 0
			? "put + or # into from.topic, or name a fixed topic"
			: `use {1}${count === 1 ? "" : ` to {${count}}`}`,
	];
}

const NO_TOPIC: [string, string] = [
	"but readings from files and stdin have no topic",
	"name a fixed topic or fields of the output",
];

/** The wildcards of a filter in order. */
function wildcards(filter: string): ("+" | "#")[] {
	return sharedFilter(filter)
		.split("/")
		.filter((level) => level === "+" || level === "#");
}

/**
 * A template with what is known of its placeholders put in, for filtersOverlap(): {topic} can be
 * whatever the filter matches, {1} one level or what `#` covers. A field is one level
 * (pipeline/topic.ts refuses values with a slash); {suffix} may be several, and stays.
 */
export function possibleTopics(template: string, filter: string): string {
	const found = wildcards(filter);
	return template
		.replaceAll("{topic}", sharedFilter(filter))
		.split("/")
		.map((level) => {
			const [, name] = /^\{([^{}]+)\}$/.exec(level) ?? [];
			if (name === undefined || name === "suffix") return level;
			return /^\d+$/.test(name) ? (found[Number(name) - 1] ?? "+") : "+";
		})
		.join("/");
}
