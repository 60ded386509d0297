import { describe, expect, test } from "vitest";
import {
	filtersOverlap,
	isTopicFilter,
	isTopicName,
	topicMatches,
	wildcardMatches,
} from "#host/mqtt/topics.js";

describe("topic names and filters", () => {
	test.each(["a", "/", "a/b", "a//b", "$SYS/x", "ä/ö", " "])(
		"%j is a topic name",
		(name) => expect(isTopicName(name)).toBe(true),
	);
	test.each(["", "a/+", "#", "a\0", "\ud800", "x".repeat(65_536)])(
		"%j is none",
		(name) => expect(isTopicName(name)).toBe(false),
	);
	test.each(["#", "+", "a/+/b", "a/#", "/+", "+/+/#", "$share/g/a/#"])(
		"%j is a topic filter",
		(filter) => expect(isTopicFilter(filter)).toBe(true),
	);
	test.each([
		"",
		"a#",
		"a/#/b",
		"a+/b",
		"##",
		"$share/g",
		"$share//a",
		"$share/g+/a",
		"$share/g/",
	])("%j is none", (filter) => expect(isTopicFilter(filter)).toBe(false));
});

test.each([
	["a/b", "a/b", true],
	["a/+", "a/b", true],
	["a/+", "a/b/c", false],
	["a/+", "a", false],
	["a/#", "a", true],
	["a/#", "a/b/c", true],
	["#", "a/b", true],
	["+", "/a", false],
	["+/+", "/a", true],
	["#", "$SYS/a", false],
	["+/a", "$SYS/a", false],
	["$SYS/#", "$SYS/a", true],
	["$share/g/a/+", "a/b", true],
])("%j matches %j: %s", (filter, topic, matches) =>
	expect(topicMatches(filter, topic)).toBe(matches),
);

test("wildcards stand for levels", () => {
	expect(wildcardMatches("plant/+/press/#", "plant/7/press/a/b")).toEqual([
		"7",
		"a/b",
	]);
	expect(wildcardMatches("a/#", "a")).toEqual([""]);
	expect(wildcardMatches("a/+", "b")).toBeUndefined();
});

test.each([
	["s/#", "alerts/{topic}", false],
	["#", "alerts/x", true],
	["alerts/#", "alerts/{topic}", true],
	["a/+/c", "a/{1}/c", true],
	["a/+/c", "a/{1}/d", false],
	["a/b/c/d", "a/{topic}", true], // {topic} may hold slashes
	["a/b/c/d", "a/{topic}/e", false],
	["a/x-1", "a/x-{1}", true],
	["a/y-1", "a/x-{1}", false],
	["+/+", "{device_id}", true],
	["#", "$SYS/{1}", false],
	["$share/g/a/#", "a/b", true],
	["a/+", "a/b/#", true], // both match a/b,
	["a/+/#", "a/b", true],
])("%j and the template %j overlap: %s", (filter, template, overlap) =>
	expect(filtersOverlap(filter, template)).toBe(overlap),
);
