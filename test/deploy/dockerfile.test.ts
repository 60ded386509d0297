import { validate } from "dockerfile-utils";
import { expect, test } from "vitest";
import { WAZERO_SOURCES } from "#host/cli/wazero.js";
import { read } from "./places.js";

const dockerfile = read("Dockerfile");
const lines = dockerfile.split("\n");

test("the Dockerfile has no faults", () => {
	expect(validate(dockerfile)).toEqual([]);
	expect(validate("FROM x\nCOPPY a b\n")).toHaveLength(1);
});

test("the wazero of an image is the one of `wasieve pack --standalone`", () => {
	for (const [name, text] of Object.entries(WAZERO_SOURCES))
		expect(read(`deploy/wazero/${name}`), name).toBe(text);
});

test("the gateway's image runs the program that npm would", () => {
	const { bin } = JSON.parse(read("package.json"));
	expect(dockerfile).toContain(
		`ENTRYPOINT ["node", "/app/${bin.wasieve}"]\nCMD ["run", "/etc/wasieve/gateway.yaml"]`,
	);
});

test("every base image has a version and can be replaced", () => {
	const bases = lines.filter((line) => /^ARG \w+_IMAGE=\w/.test(line));
	expect(bases).toHaveLength(3);
	for (const base of bases) expect(base).toMatch(/:\d+[.\d]*(-alpine3\.\d+)?$/);
	const stages = lines.flatMap((line) => /AS (\w+)$/.exec(line)?.[1] ?? []);
	for (const line of lines.filter((each) => each.startsWith("FROM ")))
		expect(line).toMatch(
			new RegExp(
				`^FROM (--platform=\\$BUILDPLATFORM )?(scratch|\\$\\{\\w+_IMAGE\\}|${stages.join("|")}) AS \\w+$`,
			),
		);
});

test("what is for any machine is made on the builder's own", () => {
	const own = lines.filter((line) => line.includes("$BUILDPLATFORM"));
	expect(own).toHaveLength(2);
	// The stages that a device gets run nothing: no emulation when they are built for another machine.
	const last = dockerfile.slice(dockerfile.indexOf("AS gateway"));
	expect(last).not.toMatch(/^RUN /m);
});
