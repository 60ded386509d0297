import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finish } from "../cli/child.js";

/** Debian puts PostgreSQL where no PATH looks. */
const BIN = findPrograms();
export const hasPostgres = BIN !== undefined && existsSync("/usr/bin/psql");
if (!hasPostgres)
	console.warn("skipped: no PostgreSQL (apt-get install postgresql)");

/** It does not run as root: nobody, then. */
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

function findPrograms(): string | undefined {
	const all = "/usr/lib/postgresql";
	const versions = existsSync(all) ? readdirSync(all) : [];
	const folders = versions.map((version) => join(all, version, "bin"));
	return folders.find((folder) => existsSync(join(folder, "initdb")));
}

/** A PostgreSQL of our own, on a socket in its folder. */
export class Postgres {
	readonly folder = mkdtempSync(join(tmpdir(), "wasieve-postgres-"));
	#child: ChildProcess | undefined;

	readonly env = {
		...process.env,
		PGHOST: this.folder,
		PGUSER: "wasieve",
		PGDATABASE: "postgres",
	};

	async start(): Promise<void> {
		const data = join(this.folder, "data");
		chmodSync(this.folder, 0o777);
		if (!existsSync(data))
			execFileSync(
				join(BIN as string, "initdb"),
				["-D", data, "-U", "wasieve", "-A", "trust", "--no-sync"],
				{ ...nobody, stdio: "ignore", cwd: this.folder },
			);
		const args = ["-D", data, "-k", this.folder, "-h", ""];
		const child = spawn(join(BIN as string, "postgres"), args, {
			...nobody,
			cwd: this.folder,
			stdio: ["ignore", "ignore", "pipe"],
		});
		this.#child = child;
		let log = "";
		await new Promise<void>((resolve, reject) => {
			child.stderr.setEncoding("utf8").on("data", (text) => {
				log += text;
				if (log.includes("ready to accept connections")) resolve();
			});
			child.on("exit", () => reject(new Error(log)));
		});
	}

	/** What a query says, a row a line. */
	async ask(sql: string): Promise<string> {
		const ran = await finish(
			["psql", "-XAtq", "-v", "ON_ERROR_STOP=1"],
			this,
			sql,
		);
		if (ran.code !== 0) throw new Error(ran.stderr);
		return ran.stdout.trim();
	}

	async stop(): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (!child || child.exitCode !== null) return;
		child.kill("SIGQUIT");
		await once(child, "exit");
	}

	async remove(): Promise<void> {
		await this.stop();
		rmSync(this.folder, { recursive: true, force: true });
	}
}
