import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";

const DOCKERD = ["/usr/sbin/dockerd", "/usr/bin/dockerd"].find(existsSync);

/** Why no Docker can be started here, or "". */
export const NO_DOCKER =
	DOCKERD === undefined || process.getuid?.() !== 0
		? "no Docker can be started (apt-get install docker.io, as root)"
		: "";

/** DOCKER_HOST of the daemon that lives in a folder. */
export function socketIn(dir: string): string {
	return `unix://${dir}/docker.sock`;
}

/** A daemon of our own: its folder, its socket, no bridge and no rules in the machine's firewall. */
export async function startDocker(dir: string): Promise<ChildProcess> {
	const places = [
		...["--host", socketIn(dir), "--data-root", `${dir}/docker`],
		...["--exec-root", `${dir}/exec`, "--pidfile", `${dir}/docker.pid`],
	];
	const nothing = [
		...["--bridge", "none", "--iptables=false", "--ip6tables=false"],
		...["--ip-forward=false", "--ip-masq=false"],
	];
	const daemon = spawn(DOCKERD as string, [...places, ...nothing], {
		stdio: ["ignore", "ignore", "pipe"],
	});
	let log = "";
	await new Promise<void>((resolve, reject) => {
		daemon.stderr.setEncoding("utf8").on("data", (text) => {
			log += text;
			if (log.includes("API listen on")) resolve();
		});
		daemon.on("error", reject);
		daemon.on("exit", () => reject(new Error(log)));
	});
	return daemon;
}

export async function stopDocker(
	daemon: ChildProcess | undefined,
): Promise<void> {
	if (daemon === undefined || daemon.exitCode !== null) return;
	daemon.kill("SIGTERM");
	await once(daemon, "exit");
}
