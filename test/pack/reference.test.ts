import { describe, expect, test } from "vitest";
import {
	formatReference,
	fullName,
	isImage,
	parseReference,
	parseRegistryReference,
} from "#host/pack/reference.js";

const HEX = "0123456789abcdef".repeat(4);

describe("references", () => {
	test.each([
		["overheat", undefined, "overheat", "latest", undefined],
		["overheat:1.2", undefined, "overheat", "1.2", undefined],
		["line-3/overheat:1", undefined, "line-3/overheat", "1", undefined],
		["localhost/overheat:1", "localhost", "overheat", "1", undefined],
		[
			"localhost:5000/overheat:1.2",
			"localhost:5000",
			"overheat",
			"1.2",
			undefined,
		],
		["[::1]:5000/a/b:1", "[::1]:5000", "a/b", "1", undefined],
		["oci://r.example/a__b/c.d:V_1", "r.example", "a__b/c.d", "V_1", undefined],
		[`r.example/a@sha256:${HEX}`, "r.example", "a", undefined, `sha256:${HEX}`],
		[`r.example:1/a:2@sha256:${HEX}`, "r.example:1", "a", "2", `sha256:${HEX}`],
	])("%s", (text, registry, repository, tag, digest) => {
		const reference = parseReference(text);
		expect(reference).toEqual({ registry, repository, tag, digest });
		expect(parseReference(formatReference(reference))).toEqual(reference);
	});

	test.each([
		"",
		":1",
		"Overheat:1",
		"a//b:1",
		"a..b:1",
		"../x:1",
		"r.example/../x:1",
		"r.example/a:",
		"r.example/a:b:c",
		"r.example/a:.x",
		`r.example/a:${"x".repeat(129)}`,
		"r.example/a@sha256:1234",
		`r.example/a@md5:${HEX}`,
		`r.example/a@sha256:${HEX.toUpperCase()}`,
		`r.example/a@sha256:${HEX}@x`,
		"http://r.example/a:1",
		"r.example:x/a:1",
		"localhost:99999/a:1",
		"999.1.1.1/a:1",
		"user:secret@r.example/a:1",
		"r.example/a b:1",
		"r.example/a\n:1",
		`r.example/${"a/".repeat(200)}a:1`,
	])("refuses %j", (text) => {
		expect(() => parseReference(text)).toThrowError(
			expect.objectContaining({ code: "E_IMAGE_REFERENCE" }),
		);
	});

	test("a password that stands in one is not repeated", () => {
		for (const text of [
			"me:hunter2@r.example/a:1",
			"https://me:hunter2@r.example/a",
		])
			expect(() => parseReference(text)).toThrowError(/^(?!.*hunter2)/s);
	});

	test("only a name with a registry can be asked for", () => {
		expect(() => parseRegistryReference("line/overheat:1")).toThrowError(
			/names no registry/,
		);
		expect(parseRegistryReference("oci://a.b/c").registry).toBe("a.b");
	});

	test("containerd knows no short names", () => {
		expect(fullName(parseReference("overheat:1"))).toBe(
			"docker.io/library/overheat:1",
		);
		expect(fullName(parseReference("me/overheat:1"))).toBe(
			"docker.io/me/overheat:1",
		);
		expect(fullName(parseReference("a.b/c:1"))).toBe("a.b/c:1");
	});

	test("a module is an image when it says oci://", () => {
		expect(isImage("oci://a.b/c:1")).toBe(true);
		expect(isImage("build/oci.wasm")).toBe(false);
	});
});
