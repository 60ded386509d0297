import {
	constantFrom,
	assert as hold,
	array as list,
	property,
	record,
} from "fast-check";
import { expect, test } from "vitest";
import { Inputs } from "#host/config/inputs.js";
import type { Ends } from "#host/config/loop.js";
import { possibleTopics } from "#host/config/template.js";
import { filtersOverlap, isTopicFilter } from "#host/mqtt/topics.js";
import { parse } from "./gateway-file.js";

const levels = (...names: string[]) =>
	list(constantFrom(...names), { minLength: 1, maxLength: 4 }).map((each) =>
		each.join("/"),
	);
const filters = levels("a", "b", "+", "#", "$s", "").filter(isTopicFilter);
const outputs = levels(
	"a",
	"b",
	"{1}",
	"{topic}",
	"{x}",
	"a{suffix}",
	"$s",
	"",
);
const broker = parse(`
broker: mqtt://b
pipelines:
  a: { from: { topic: 1/+ }, filter: { module: build/filter.wasm }, to: { topic: x } }
`).broker;

function ends(name: string, filter: string, output: string): Ends {
	const mqtt = { kind: "mqtt", broker, clientId: name, qos: 0 } as const;
	return {
		name,
		path: [],
		from: { ...mqtt, topic: filter, clean: true, shared: true, codec: "json" },
		to: { ...mqtt, topic: output, retain: false },
	};
}

test("an output reaches exactly the inputs that a comparison with each of them finds", () => {
	const pipelines = list(record({ filter: filters, output: outputs }), {
		minLength: 1,
		maxLength: 12,
	}).map((all) =>
		all.map(({ filter, output }, k) => ends(`p${k}`, filter, output)),
	);
	hold(
		property(pipelines, (all) => {
			const inputs = new Inputs(all);
			for (const each of all) {
				const reached = new Set(
					inputs.reachedBy(each).flatMap(({ readers }) => readers),
				);
				expect(reached).toEqual(new Set(all.filter((to) => feeds(each, to))));
			}
		}),
		{ numRuns: 500 },
	);
});

function feeds(a: Ends, b: Ends): boolean {
	if (a.from?.kind !== "mqtt" || a.to?.kind !== "mqtt") return false;
	if (b.from?.kind !== "mqtt") return false;
	const topics = possibleTopics(a.to.topic, a.from.topic);
	return filtersOverlap(b.from.topic, topics);
}
