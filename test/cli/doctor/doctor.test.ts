import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { examine, LOOKS } from "#host/cli/doctor/examine.js";
import { ok } from "#host/cli/doctor/finding.js";
import { startBroker } from "#host/mqtt/broker.js";
import { folder, inPlace, ROOT, wasieve } from "../child.js";
import { patient } from "./patient.js";

/** A gateway file beside nothing else; its module is a shipped filter. */
function gateway(text: string): {
	cwd: string;
	doctor: (...args: string[]) => ReturnType<typeof inPlace>;
} {
	const cwd = folder();
	const filter = `filter: { module: ${join(ROOT, "build/overheat.wasm")} }`;
	writeFileSync(join(cwd, "gateway.yaml"), text.replaceAll("FILTER", filter));
	return {
		cwd,
		doctor: (...args) => inPlace(["doctor", "gateway.yaml", ...args], cwd),
	};
}

describe("wasieve doctor", () => {
	it("is one line a finding, and says nothing about secrets", async () => {
		const { code, stdout, stderr } = await wasieve(["doctor"], {
			env: { MQTT_PASSWORD: "hush-hush" },
		});
		expect([0, 1]).toContain(code);
		expect(stderr).toBe("");
		for (const line of stdout.trim().split("\n"))
			expect(line).toMatch(/^(ok|warn|fail) +[a-z]+ {2,}\S/);
		for (const look of ["node", "cpu", "memory", "clock", "data", "engine"])
			expect(stdout).toMatch(new RegExp(`^\\w+ +${look} `, "m"));
		expect(stdout).not.toContain("hush");
	});

	it("0 when nothing fails, and nothing is left behind", async () => {
		const broker = await startBroker({ host: "127.0.0.1", port: 0 });
		const { cwd, doctor } = gateway(
			`broker: { url: "${broker.url}", username: me, password: hush-hush }\nhttp: false\npipelines: { a: { from: { topic: x }, FILTER, to: { topic: y } } }\n`,
		);
		const ran = await doctor();
		await broker.close();
		expect(ran, ran.stdout).toMatchObject({ code: 0, stderr: "" });
		expect(ran.stdout).toMatch(/^ok {4}broker +mqtt:\S+ accepts the user, /m);
		expect(ran.stdout).not.toMatch(/hush/);
		expect(readdirSync(cwd)).toEqual(["gateway.yaml"]);
	});

	it("leaves nothing behind when it ends before its looks do", async () => {
		const cwd = folder();
		const ran = await wasieve(["doctor", "--timeout", "1ms"], { cwd });
		expect(ran.stdout).toContain("could not be looked at in 0.001 s");
		expect(readdirSync(cwd)).toEqual([]);
	});

	const lost =
		"broker: mqtt://me:hush-hush@127.0.0.1:1\nhttp: false\npipelines: { a: { from: { topic: x }, FILTER, to: { topic: y } } }\n";

	it("1 when something does, for a machine too", async () => {
		const { doctor } = gateway(lost);
		const ran = await doctor();
		expect(ran).toMatchObject({ code: 1, stderr: "" });
		expect(ran.stdout).toMatch(
			/^fail {2}broker +No connection to mqtt:\/\/127\.0\.0\.1:1: nothing listens there → sudo /m,
		);
		const json = await doctor("--json");
		expect(json).toMatchObject({ code: 1, stderr: "" });
		const { ok: well, findings } = JSON.parse(json.stdout);
		expect(well).toBe(false);
		expect(findings).toContainEqual({
			look: "broker",
			verdict: "fail",
			what: expect.stringContaining("nothing listens there"),
			mend: expect.any(String),
			code: "E_MQTT_CONNECT",
		});
		expect(ran.stdout + json.stdout).not.toContain("hush");
	});

	it("3 when the config has mistakes; the machine is looked at all the same", async () => {
		const { doctor } = gateway(
			"threads: 0\npipelines: { a: { from: stdin } }\n",
		);
		const ran = await doctor();
		expect(ran).toMatchObject({ code: 3, stderr: "" });
		expect(ran.stdout.match(/^fail {2}config /gm)?.length).toBeGreaterThan(2);
		expect(ran.stdout).toMatch(/^\w+ +node /m);
		const { findings } = JSON.parse((await doctor("--json")).stdout);
		expect(findings[0]).toMatchObject({
			look: "config",
			code: "E_CONFIG_VALUE",
			what: expect.stringMatching(/gateway\.yaml:1:10 threads: /),
		});
	});

	test.each([
		[["missing.yaml"], 3],
		[["a", "b"], 2],
		[["--timeout", "0"], 2],
		[["--timeout", "never"], 2],
	])("%j ends with %d", async (args, code) => {
		expect(await inPlace(["doctor", ...args], folder())).toMatchObject({
			code,
		});
	});
});

describe("looks", () => {
	it("one that hangs and one that breaks harm no other", async () => {
		const around = patient({ deadline: 50 });
		const found = await examine(around, {
			hangs: () => new Promise(() => {}),
			breaks: () => Promise.reject(new Error("broken")),
			works: async () => [ok("works", "fine")],
		});
		expect(found).toEqual([
			expect.objectContaining({
				look: "hangs",
				verdict: "warn",
				what: "could not be looked at in 0.05 s",
			}),
			expect.objectContaining({ look: "breaks", code: "E_INTERNAL" }),
			ok("works", "fine"),
		]);
	});

	it("each is explained in docs/doctor.md", () => {
		const docs = readFileSync(join(ROOT, "docs/doctor.md"), "utf8");
		const rows = [...docs.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
		expect(rows.sort()).toEqual([...Object.keys(LOOKS), "config"].sort());
	});
});
