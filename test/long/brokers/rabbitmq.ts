/**
 * Debian's RabbitMQ with its MQTT plugin. Where it is not installed its packages are unpacked
 * into the cache, which takes no rights and starts no service.
 */
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { freePort } from "../../e2e/processes.js";
import { CACHE, cached, type Kind, run, serve } from "./process.js";

/** Of the root that it is unpacked or installed in. */
const SERVER = "usr/lib/rabbitmq/bin/rabbitmq-server";
const ERLANG = "usr/lib/erlang";
const READY = join(CACHE, "rabbitmq-3.10");

export const rabbitmq: Kind = {
	name: "RabbitMQ 3.10",
	protocols: [4],
	highest: 1,
	async obtain() {
		for (const root of ["/", READY])
			if (existsSync(join(root, SERVER))) return root;
		return unpack();
	},
	async start(root, folder, port) {
		const env = await environment(root, folder);
		const epmd = await serve(
			join(root, ERLANG, "bin/epmd"),
			["-d", "-address", "127.0.0.1", "-port", env.ERL_EPMD_PORT as string],
			/running/,
		);
		writeFileSync(
			`${env.RABBITMQ_CONFIG_FILE}.conf`,
			`listeners.tcp = none
mqtt.listeners.tcp.1 = 127.0.0.1:${port}
mqtt.allow_anonymous = true
mqtt.prefetch = 1000
`,
		);
		writeFileSync(join(folder, "plugins"), "[rabbitmq_mqtt].\n");
		const broker = await serve(join(root, SERVER), [], /completed with/, {
			env,
			cwd: folder,
		});
		return {
			async stop() {
				await broker.stop();
				await epmd.stop();
			},
		};
	},
};

/** A node of its own, with ports and files that are not those of an installed one. */
async function environment(
	root: string,
	folder: string,
): Promise<Record<string, string>> {
	const at = (name: string) => join(folder, name);
	return {
		PATH: `${join(root, ERLANG, "bin")}:${process.env.PATH}`,
		HOME: folder,
		ERL_EPMD_PORT: `${await freePort()}`,
		ERL_EPMD_ADDRESS: "127.0.0.1",
		RABBITMQ_DIST_PORT: `${await freePort()}`,
		RABBITMQ_NODENAME: "wasieve@localhost",
		RABBITMQ_CONF_ENV_FILE: at("none"),
		RABBITMQ_CONFIG_FILE: at("rabbitmq"),
		RABBITMQ_ENABLED_PLUGINS_FILE: at("plugins"),
		RABBITMQ_MNESIA_BASE: at("mnesia"),
		RABBITMQ_LOG_BASE: at("log"),
		RABBITMQ_PID_FILE: at("pid"),
	};
}

async function unpack(): Promise<string> {
	const simulated = await run("apt-get", [
		"install",
		"-s",
		"--no-install-recommends",
		"rabbitmq-server",
	]);
	const names = [...simulated.matchAll(/^Inst ((?:erlang|rabbitmq)\S*)/gm)];
	const folder = cached("rabbitmq-unpacking");
	await run(
		"apt-get",
		["download", ...names.map((name) => name[1] as string)],
		{
			cwd: folder,
		},
	);
	for (const file of readdirSync(folder).filter((f) => f.endsWith(".deb")))
		await run("dpkg", ["-x", file, "root"], { cwd: folder });
	const root = join(folder, "root");
	// Erlang's start script holds the folder that it was installed in.
	for (const erl of [`${ERLANG}/bin/erl`]) {
		const script = readFileSync(join(root, erl), "utf8");
		writeFileSync(
			join(root, erl),
			script.replaceAll("/usr/lib/erlang", join(READY, ERLANG)),
		);
	}
	mkdirSync(READY, { recursive: true });
	cpSync(root, READY, { recursive: true, verbatimSymlinks: true });
	return READY;
}
