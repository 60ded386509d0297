import { older } from "../../engine/preflight.js";
import { askDaemon, type Daemon, settingsOf } from "./daemon.js";
import { type Around, type Finding, fail, ok, warn } from "./finding.js";
import { containersOf, trouble, uses } from "./needs.js";

/** The first Docker whose image store can be containerd's. */
const STORE = "24.0.0";
/** From here on dockerd asks for a time namespace, which neither the shim nor an old runc has. */
const TIME_NAMESPACES = "29.5.0";
/** The first runc that has it. */
const RUNC = "1.2.0";

/** The Docker daemon, and what of it stands in the way of the Wasm shim. Whether Docker is here at all, the engines' look tells. */
export async function lookAtDocker(around: Around): Promise<Finding[]> {
	const { config } = around;
	if (uses(config, "docker", "docker-wasm") === false) return [];
	const daemon = await askDaemon(around);
	if (typeof daemon === "string") return [];
	const { version, containerd, runc } = daemon;
	const parts = [
		`Docker ${version}`,
		...(containerd ? [`containerd ${containerd}`] : []),
		...(runc ? [`runc ${runc}`] : []),
	];
	const found = await Promise.all([
		lookAtMemoryLimits(daemon),
		lookAtStore(daemon, around),
		lookAtTime(daemon, around),
		lookAtStuck(around),
		lookAtNetworks(around),
	]);
	return [ok("docker", parts.join(", ")), ...found.flat()];
}

function lookAtMemoryLimits({ limitsMemory }: Daemon): Finding[] {
	if (limitsMemory) return [];
	const what = "Docker cannot limit the memory of containers here";
	const mend =
		"add cgroup_enable=memory to the kernel's command line (Raspberry Pi: /boot/firmware/cmdline.txt), and reboot";
	return [warn("docker", what, mend)];
}

function lookAtStore(daemon: Daemon, around: Around): Finding[] {
	if (daemon.containerdStore)
		return [ok("docker", "images lie in containerd's store")];
	const used = uses(around.config, "docker-wasm");
	if (used === false) return [];
	const file = settingsOf(around)?.file ?? "daemon.json";
	return [
		trouble(
			used,
			"docker",
			"images do not lie in containerd's store: wasi/wasm images cannot be run",
			older(daemon.version, STORE)
				? `install Docker ${STORE} or newer, which can put them there`
				: `put "features": {"containerd-snapshotter": true} into ${file}, then sudo systemctl restart docker`,
		),
	];
}

/** runtimes.md of the shim and of runc: "invalid spec for new user namespace", `namespace {"time" ""} does not exist`. */
function lookAtTime({ version, runc }: Daemon, around: Around): Finding[] {
	if (older(version, TIME_NAMESPACES)) return [];
	const settings = settingsOf(around);
	if (settings?.features["time-namespaces"] === false)
		return [ok("docker", "time namespaces are off, as the shim needs")];
	const file = settings?.file ?? "daemon.json";
	const mend = `put "features": {"time-namespaces": false} into ${file}, then sudo systemctl restart docker`;
	const since = `Docker asks for time namespaces since ${TIME_NAMESPACES}`;
	const oldRunc = runc !== undefined && older(runc.replace(/^v/, ""), RUNC);
	const shim = uses(around.config, "docker-wasm");
	return [
		...(oldRunc
			? [fail("docker", `${since}, which runc ${runc} lacks`, mend)]
			: []),
		...(shim === false
			? []
			: [trouble(shim, "docker", `${since}, which the Wasm shim lacks`, mend)]),
	];
}

/** dockerd waits for ever for a container whose network it cannot make; `docker inspect` of it hangs, `docker ps` does not. */
async function lookAtStuck({ run }: Around): Promise<Finding[]> {
	const format = ["--format", "{{.Names}}\t{{.RunningFor}}"];
	const filters = [
		...["--filter", "status=created", "--filter", "name=^wasieve-"],
	];
	const { out } = await run("docker", "ps", "--all", ...filters, ...format);
	return out
		.split("\n")
		.filter((line) => line.includes("\t"))
		.map((line) => {
			const [name, age] = line.split("\t");
			const what = `the container ${name} stays "Created" (${age})`;
			return warn("docker", what, `docker rm --force ${name}`);
		});
}

/** Containers whose network filters share. */
async function lookAtNetworks(around: Around): Promise<Finding[]> {
	const shared = containersOf(around.config).flatMap(({ network = "" }) =>
		network.startsWith("container:")
			? [network.slice("container:".length)]
			: [],
	);
	const names = [...new Set(shared)];
	const found = await Promise.all(
		names.map(async (name) => {
			const format = ["--format", "{{.Names}}"];
			const asked = ["--filter", `name=^/?${name}$`, ...format];
			const { out } = await around.run("docker", "ps", ...asked);
			if (out.trim() !== "")
				return ok("docker", `the container ${name} lends its network`);
			return fail(
				"docker",
				`the container ${name}, whose network filters share, does not run`,
				`docker run -d --name ${name} --network none --restart always alpine sleep infinity`,
			);
		}),
	);
	return found;
}
