import { describe, expect, test } from "vitest";
import { Batch } from "#host/contract.js";
import { OutputTopic, TOPIC_MAX } from "#host/pipeline/topic.js";

function render(
	template: string,
	filter: string,
	topic: string,
	output = "{}",
	suffix = "",
): string {
	const batch = new Batch(1);
	const from = new Batch(1);
	from.topicIn[0] = Buffer.from(`xx${topic}yy`);
	from.topicAt[0] = 2;
	from.topicEnd[0] = 2 + Buffer.byteLength(topic);
	batch.bytes = Buffer.alloc(from.sizeOf(0));
	batch.append(from, 0);
	const out = new OutputTopic(template, filter);
	const bytes = Buffer.from(`${output}\n`);
	const wrong = out.render(batch, 0, bytes, 0, bytes.length - 1, suffix);
	return wrong
		? `${wrong.code}: ${wrong.message}`
		: out.bytes.toString("utf8", 0, out.length);
}

describe("what a template makes of a reading's topic", () => {
	test.each([
		["alerts", "s/#", "s/1", "alerts"],
		["alerts/{topic}", "s/#", "s/1/ü", "alerts/s/1/ü"],
		[
			"alerts/{1}/{2}",
			"plant/+/press/#",
			"plant/north/press/7/a",
			"alerts/north/7/a",
		],
		["{1}", "+", "one", "one"],
		["a{1}b", "x/+", "x/", "ab"],
		["a/{1}", "s/#", "s", "a/"],
		["a/{1}", "$share/group/s/+/t", "s/mid/t", "a/mid"],
		["a/{device_id}", "s/#", "s/1", "a/press-1"],
	])("%s of %s for %s is %s", (template, filter, topic, want) => {
		expect(render(template, filter, topic, '{"device_id":"press-1"}')).toBe(
			want,
		);
	});

	test("a suffix goes where the template allows it, and only there", () => {
		expect(render("a/{suffix}", "s", "s", "{}", "hot/1")).toBe("a/hot/1");
		expect(render("a/{suffix}", "s", "s")).toBe("a");
		expect(render("a", "s", "s", "{}", "hot")).toMatch(
			/^E_OUTPUT_TOPIC.*suffix/,
		);
		expect(render("a/{suffix}", "s", "s", "{}", "#")).toMatch(
			/^E_OUTPUT_TOPIC/,
		);
	});
});

describe("what cannot be a topic is an error and never a topic", () => {
	test.each([
		["not JSON", "{"],
		["no field", "{}"],
		["inherited", '{"x":1}'],
		["an object", '{"device_id":{}}'],
		["empty", '{"device_id":""}'],
		["a wildcard", '{"device_id":"a+"}'],
		["more levels", '{"device_id":"a/b"}'],
		["NUL", '{"device_id":"a\\u0000"}'],
	])("field: %s", (_, output) => {
		expect(render("a/{device_id}", "s", "s", output)).toMatch(
			/^E_OUTPUT_TOPIC/,
		);
	});

	test("an inherited name is no field", () => {
		expect(render("a/{constructor}", "s", "s")).toMatch(/^E_OUTPUT_TOPIC/);
	});

	test("longer than MQTT allows", () => {
		const long = "t".repeat(TOPIC_MAX);
		expect(render("{topic}", "#", long)).toBe(long);
		expect(render("a{topic}", "#", long)).toMatch(/^E_OUTPUT_TOPIC/);
	});

	test("an output that no reading caused has no reading's topic", () => {
		const out = new OutputTopic("a/{topic}", "#");
		const wrong = out.render(new Batch(1), -1, Buffer.from("{}"), 0, 2, "");
		expect(wrong?.code).toBe("E_OUTPUT_TOPIC");
	});

	test("a wildcard that the filter does not have", () => {
		expect(() => new OutputTopic("a/{2}", "s/+")).toThrow(/1 wildcard/);
	});
});
