import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import {
	afterAll,
	beforeAll,
	describe,
	expect,
	onTestFinished,
	test,
} from "vitest";
import { lookAtBrokers } from "#host/cli/doctor/brokers.js";
import { lookAtRegistries } from "#host/cli/doctor/registries.js";
import { startBroker } from "#host/mqtt/broker.js";
import { pullImage } from "#host/pack/pull.js";
import { parseRegistryReference } from "#host/pack/reference.js";
import { Registry } from "#host/pack/registry.js";
import { ImageStore } from "#host/pack/store.js";
import { hasTools, makeCertificates } from "../../mqtt/certificates.js";
import { Mosquitto, OPEN } from "../../mqtt/mosquitto.js";
import { FakeRegistry } from "../../pack/fake-registry.js";
import { imageOf } from "../../pack/modules.js";
import { folder } from "../child.js";
import { listen } from "./listener.js";
import { told } from "./patient.js";

/** A gateway with this broker at both ends. */
const between = (broker: string) => ({
	config: `broker: ${broker}\npipelines: { a: { from: { topic: x, qos: 1 }, filter: { module: any.wasm }, to: { topic: y, qos: 1 } } }\n`,
});

describe("brokers", () => {
	test("one that is there is asked once, and not by the gateway's name", async () => {
		const broker = await startBroker({ host: "127.0.0.1", port: 0 });
		onTestFinished(() => broker.close());
		const running = await connectAsync(broker.url, { clientId: "gw" });
		onTestFinished(() => running.endAsync());
		let cut = false;
		running.on("close", () => {
			cut = true;
		});
		const config = between(`{ url: "${broker.url}", clientId: gw }`);
		expect(await told(lookAtBrokers, config)).toEqual([
			expect.stringMatching(
				/^ok mqtt:\S+ accepts us without a user name, MQTT 3\.1\.1, \d+ ms$/,
			),
		]);
		expect(cut).toBe(false);
	});

	test("nothing listens", async () => {
		expect(await told(lookAtBrokers, between("mqtt://127.0.0.1:1"))).toEqual([
			"fail No connection to mqtt://127.0.0.1:1: nothing listens there → sudo systemctl start mosquitto, or whichever broker is to be there",
		]);
	});

	test("a name that nobody knows", async () => {
		const [found] = await told(
			lookAtBrokers,
			between("mqtt://no-such.invalid"),
		);
		expect(found).toMatch(
			/^fail No connection to mqtt:\/\/no-such\.invalid:1883: the host name /,
		);
	});

	test("silence, and rubbish", async () => {
		const port = await listen();
		const silent = { ...between(`mqtt://127.0.0.1:${port}`), deadline: 300 };
		expect(await told(lookAtBrokers, silent)).toEqual([
			expect.stringMatching(/^fail .*does not answer in 240 ms → /),
		]);
		const rubbish = await listen((socket) =>
			socket.write("HTTP/1.1 400\r\n\r\n"),
		);
		const [found] = await told(
			lookAtBrokers,
			between(`mqtt://127.0.0.1:${rubbish}`),
		);
		expect(found).toMatch(/^fail /);
		const cut = await listen((socket) => socket.end());
		expect(
			(await told(lookAtBrokers, between(`mqtt://127.0.0.1:${cut}`)))[0],
		).toMatch(/^fail .*closed the connection before it answered CONNECT → /);
	});

	test("embedded: free, taken by a broker, taken by somebody else", async () => {
		expect(await told(lookAtBrokers, between("embedded"))).toEqual([
			expect.stringMatching(/^(ok|warn) embedded/),
		]);
		const broker = await startBroker({ host: "127.0.0.1", port: 0 });
		onTestFinished(() => broker.close());
		const at = broker.url.replace("mqtt://", "");
		const embedded = (host: string) => between(`{ embedded: "${host}" }`);
		expect(await told(lookAtBrokers, embedded(at))).toEqual([
			`warn embedded: a broker listens at ${at} already → nothing, if it is this gateway's, running`,
		]);
		const port = await listen((socket) => socket.end("220 mail\r\n"));
		expect(await told(lookAtBrokers, embedded(`127.0.0.1:${port}`))).toEqual([
			`fail embedded: another program listens at 127.0.0.1:${port} → choose another port`,
		]);
	});
});

describe.skipIf(!hasTools)("a broker with users", () => {
	const broker = new Mosquitto();
	beforeAll(async () => {
		const file = join(broker.folder, "users");
		execFileSync("mosquitto_passwd", ["-b", "-c", file, "gw", "right"], {
			stdio: "ignore",
		});
		broker.lines = [
			"allow_anonymous false",
			`password_file ${file}`,
			"log_type all",
		];
		await broker.start();
	});
	afterAll(() => broker.remove());
	const as = (user: string) => between(`{ url: "${broker.url}", ${user} }`);

	test.each([
		[
			"username: gw, password: right",
			/^ok .* accepts the user, MQTT 5, \d+ ms$/,
		],
		[
			"username: gw, password: wr0ng",
			/^fail .* refused the connection: .*(not authorized|bad user name).* → Check user name/,
		],
		["clientId: x", /^fail .* refused the connection: .*not authorized/],
	])("%s", async (user, line) => {
		const found = await told(lookAtBrokers, as(`protocol: 5, ${user}`));
		expect(found).toEqual([expect.stringMatching(line)]);
		expect(found.join()).not.toMatch(/right|wr0ng|gw\b/);
	});
});

describe.skipIf(!hasTools)("a broker with TLS", () => {
	const broker = new Mosquitto();
	const at = (name: string) => join(broker.folder, name);
	beforeAll(async () => {
		makeCertificates(broker.folder);
		broker.lines = [
			...OPEN,
			`certfile ${at("server.pem")}`,
			`keyfile ${at("server.key")}`,
		];
		await broker.start();
	});
	afterAll(() => broker.remove());
	const over = (tls: string) =>
		between(`{ url: "mqtts://localhost:${broker.port}", tls: ${tls} }`);
	const now = () => new Date().toISOString();
	const trusted = () => over(`{ ca: ${at("ca.pem")} }`);

	test("an authority that is known, and one that is not", async () => {
		const [good, soon] = await told(lookAtBrokers, {
			...trusted(),
			now: now(),
		});
		expect(good).toMatch(/^ok mqtts:\/\/localhost:\d+ accepts us/);
		expect(soon).toMatch(
			/^warn .* has a certificate until \d{4}-\d\d-\d\d, .* → renew/,
		);
		const [bad] = await told(lookAtBrokers, {
			...over("{ insecure: false }"),
			now: now(),
		});
		expect(bad).toMatch(
			/^fail No TLS connection to .* → Give the certificate authority .* `tls\.ca`/,
		);
	});

	test.each([
		[
			"1999-01-01T00:00:00Z",
			/^fail .* has a certificate from \d{4}.* on, and it is 1999-01-01 here → sudo timedatectl/,
		],
		[
			"2099-01-01T00:00:00Z",
			/^fail .* has a certificate until .*, and it is 2099-01-01 here → renew/,
		],
	])("a clock that says %s", async (time, line) => {
		const found = await told(lookAtBrokers, { ...trusted(), now: time });
		expect(found).toContainEqual(expect.stringMatching(line));
	});

	test("not verified", async () => {
		const found = await told(lookAtBrokers, {
			...over("{ insecure: true }"),
			now: now(),
		});
		expect(found[0]).toMatch(/^ok/);
		expect(found.at(-1)).toMatch(/^warn .* may be anybody.* → tls\.ca instead/);
	});

	test("TLS where none is spoken, and none where it is", async () => {
		const plain = between(`mqtt://localhost:${broker.port}`);
		expect((await told(lookAtBrokers, plain))[0]).toMatch(
			/^fail .*(closed|reset)/,
		);
		const port = await listen((socket) => socket.end("hello"));
		const [found] = await told(
			lookAtBrokers,
			between(`mqtts://127.0.0.1:${port}`),
		);
		expect(found).toMatch(/^fail No TLS connection to /);
	});
});

describe("registries", () => {
	async function registry(): Promise<FakeRegistry> {
		const server = await new FakeRegistry().start();
		server.add(imageOf(), "1.2");
		server.intercept = (ask, answer) => {
			if (ask.url === "/v2/") answer.end("{}");
			return ask.url === "/v2/";
		};
		return server;
	}

	function from(server: { name: string }, dir: string, tag = "1.2") {
		const module = `"oci://${server.name}/line/overheat:${tag}"`;
		const config = `images: { dir: ${dir} }\npipelines: { a: { from: stdin, filter: { module: ${module} }, to: stdout } }\n`;
		return { config, now: new Date().toISOString() };
	}

	async function keep(server: FakeRegistry, dir: string): Promise<void> {
		const reference = parseRegistryReference(
			`${server.name}/line/overheat:1.2`,
		);
		const client = new Registry(server.name, { credentials: () => undefined });
		await pullImage(client, reference, new ImageStore(dir));
	}

	test("the image is there, and nothing is pulled", async () => {
		const server = await registry();
		const dir = join(folder(), "images");
		expect(await told(lookAtRegistries, from(server, dir))).toEqual([
			`ok ${server.name} answers and accepts us`,
			expect.stringMatching(
				/^ok line\/overheat:1\.2 is sha256:[0-9a-f]{12}…, wasi\/wasm$/,
			),
		]);
		expect(existsSync(dir)).toBe(false);
	});

	test("no such image; what is here runs on", async () => {
		const server = await registry();
		const dir = folder();
		const missing = from(server, dir, "9.9");
		expect((await told(lookAtRegistries, missing))[1]).toMatch(
			/^fail .*overheat:9\.9.* → /,
		);
		await keep(server, dir);
		server.manifests.clear();
		expect((await told(lookAtRegistries, from(server, dir)))[1]).toMatch(
			/^warn .*; what was pulled goes on running → /,
		);
	});

	test("the tag has moved", async () => {
		const server = await registry();
		const dir = folder();
		await keep(server, dir);
		server.add(imageOf(undefined, { version: "1.3" }), "1.2");
		expect((await told(lookAtRegistries, from(server, dir)))[1]).toMatch(
			/^warn .*; sha256:\w+… is pinned and goes on running → wasieve pull /,
		);
	});

	test("nobody there, with and without the image here", async () => {
		const server = await registry();
		const dir = folder();
		await keep(server, dir);
		server.stop();
		expect(await told(lookAtRegistries, from(server, dir))).toEqual([
			expect.stringMatching(
				/^warn the registry .* cannot be reached \(ECONNREFUSED\); what was pulled/,
			),
		]);
		expect(await told(lookAtRegistries, from(server, folder()))).toEqual([
			expect.stringMatching(/^fail the registry .* cannot be reached/),
		]);
	});

	test("it asks for a user", async () => {
		const server = await registry();
		server.intercept = (_, answer) => {
			answer.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
			return true;
		};
		expect(await told(lookAtRegistries, from(server, folder()))).toEqual([
			expect.stringMatching(/^fail .*asks for a user and a password → log in/),
		]);
	});

	test("an image for Linux", async () => {
		const server = await registry();
		const linux = {
			schemaVersion: 2,
			mediaType: "application/vnd.oci.image.index.v1+json",
			manifests: [
				{
					mediaType: "application/vnd.oci.image.manifest.v1+json",
					digest: imageOf().manifest.digest,
					size: imageOf().manifest.bytes.length,
					platform: { os: "linux", architecture: "arm64" },
				},
			],
		};
		server.tag(Buffer.from(JSON.stringify(linux)), "1.2");
		expect((await told(lookAtRegistries, from(server, folder())))[1]).toMatch(
			/^fail the image is for linux\/arm64, not for wasi\/wasm/,
		);
	});

	test.each([
		[-3600, /^warn this machine's clock is 3[56]\d\d s ahead of that of /],
		[3600, /^warn this machine's clock is 3[56]\d\d s behind that of /],
	])("its clock is %d s away", async (seconds, line) => {
		const server = await registry();
		server.intercept = (ask, answer) => {
			const date = new Date(Date.now() + seconds * 1000).toUTCString();
			answer.setHeader("date", date);
			if (ask.url === "/v2/") answer.end("{}");
			return ask.url === "/v2/";
		};
		const found = await told(lookAtRegistries, from(server, folder()));
		expect(found[1]).toMatch(line);
	});

	test("one that stops half-way is given up", async () => {
		const server = await registry();
		server.intercept = () => true;
		const symptoms = { ...from(server, folder()), deadline: 800 };
		expect(await told(lookAtRegistries, symptoms)).toEqual([
			expect.stringMatching(
				/^fail the registry .* cannot be reached \(it does not answer\)/,
			),
		]);
	});
});
