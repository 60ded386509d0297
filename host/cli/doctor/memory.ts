import { type Cgroup, cgroupOf } from "./cgroup.js";
import { type Around, type Finding, fail, ok, warn } from "./finding.js";

const MIB = 2 ** 20;
/** With 28 MiB a gateway of one pipeline was killed while it started, with 32 it came up (Node 20, x86_64). */
const LEAST = 32 * MIB;
/** At rest it takes half of this, and then there is work. */
const SMALL = 128 * MIB;

/** What memory there is, and what of it this process may have. */
export async function lookAtMemory(around: Around): Promise<Finding[]> {
	const { memory } = around.machine;
	const cgroup = cgroupOf(around);
	const mine = Math.min(memory, cgroup.memory ?? memory);
	const what = `${mib(memory)} in the machine, ${limitText(cgroup)}`;
	return [
		verdictOn(mine, what),
		...lookAtKills(cgroup),
		...lookAtCounting(cgroup),
		...lookAtQuota(cgroup, around),
	];
}

function verdictOn(mine: number, what: string): Finding {
	if (mine < LEAST)
		return fail("memory", `${what}: a gateway is killed while it starts`, MORE);
	if (mine < SMALL)
		return warn("memory", `${what}: little for a gateway`, MORE);
	return ok("memory", what);
}

const MORE = "docker run --memory 256m, or MemoryMax=256M in the unit";

function limitText({ version, memory }: Cgroup): string {
	if (version === undefined) return "no cgroups";
	const limit = memory === undefined ? "no limit" : `limit ${mib(memory)}`;
	return `${limit} (cgroup v${version})`;
}

function lookAtKills({ kills }: Cgroup): Finding[] {
	if (kills === 0) return [];
	const times = kills === 1 ? "once" : `${kills} times`;
	const what = `the out-of-memory killer has been here ${times}`;
	return [warn("memory", what, MORE)];
}

function lookAtCounting({ countsMemory }: Cgroup): Finding[] {
	if (countsMemory) return [];
	return [
		warn(
			"memory",
			"the kernel does not count memory per cgroup, so that no container's can be limited",
			"add cgroup_enable=memory to /boot/firmware/cmdline.txt (Raspberry Pi) or to the kernel's command line, and reboot",
		),
	];
}

function lookAtQuota({ cores }: Cgroup, { config }: Around): Finding[] {
	if (cores === undefined) return [];
	const what = `limit ${Number(cores.toFixed(2))} cores (cgroup)`;
	const threads = config?.threads ?? 1;
	if (cores >= threads) return [ok("cpu", what)];
	const more = `${what} for ${threads} ${threads === 1 ? "thread" : "threads"}: readings wait while it is used up`;
	return [warn("cpu", more, `docker run --cpus ${threads}`)];
}

function mib(bytes: number): string {
	return bytes < 10_240 * MIB
		? `${Math.round(bytes / MIB)} MiB`
		: `${Math.round(bytes / 1024 / MIB)} GiB`;
}
