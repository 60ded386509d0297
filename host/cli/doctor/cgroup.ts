import { posix } from "node:path";
import type { Around } from "./finding.js";

/** What the kernel lets this process have, whoever decided it: a container, systemd, a pod. */
export interface Cgroup {
	/** Undefined: none was found. */
	readonly version: 1 | 2 | undefined;
	/** Bytes; undefined: no limit. */
	readonly memory: number | undefined;
	/** Cores, as 0.5; undefined: no limit. */
	readonly cores: number | undefined;
	/** Processes that the limit's out-of-memory killer has ended here. */
	readonly kills: number;
	/** False where the kernel was told not to count memory (Raspberry Pi OS's default). */
	readonly countsMemory: boolean;
}

const MOUNT = "/sys/fs/cgroup";
/** cgroup v1 writes "no limit" as the largest number of whole pages. */
const UNLIMITED = 2 ** 62;

/**
 * Reads /proc/self/cgroup, a line a hierarchy:
 *
 *   0::/system.slice/wasieve.service                 v2
 *   8:memory:/docker/4ac…  3:cpu,cpuacct:/docker/4ac…  v1
 *
 * In a container the path is the host's or "/", and what belongs to it is mounted at the top. The
 * strictest limit on the way up counts.
 */
export function cgroupOf(around: Pick<Around, "read">): Cgroup {
	const lines = (around.read("/proc/self/cgroup") ?? "").split("\n");
	const paths = new Map(
		lines.flatMap((line) => {
			const [, names, path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
			if (names === undefined) return [];
			return names.split(",").map((name) => [name, path] as const);
		}),
	);
	const first = paths.get("memory");
	if (first !== undefined) return readFirst(around, paths);
	const second = around.read(`${MOUNT}/cgroup.controllers`);
	if (second === undefined)
		return { version: undefined, ...NOTHING, countsMemory: counts(around) };
	return readSecond(around, paths.get("") ?? "/", second);
}

const NOTHING = { memory: undefined, cores: undefined, kills: 0 };

function readSecond(
	around: Pick<Around, "read">,
	path: string,
	controllers: string,
): Cgroup {
	const ways = upward(path).map((each) => posix.join(MOUNT, each));
	const numbers = (name: string) =>
		ways.flatMap((way) => numberIn(around.read(`${way}/${name}`)));
	const cores = ways.flatMap((way) => {
		const [quota, period] = (around.read(`${way}/cpu.max`) ?? "").split(" ");
		return ratio(Number(quota), Number(period));
	});
	return {
		version: 2,
		memory: least(numbers("memory.max")),
		cores: least(cores),
		kills: killsIn(around.read(`${ways[0]}/memory.events`)),
		countsMemory: /\bmemory\b/.test(controllers),
	};
}

function readFirst(
	around: Pick<Around, "read">,
	paths: ReadonlyMap<string, string>,
): Cgroup {
	const ways = (controller: string) =>
		upward(paths.get(controller) ?? "/").map((each) =>
			posix.join(MOUNT, controller, each),
		);
	const read = (controller: string, name: string) =>
		ways(controller).flatMap((way) => numberIn(around.read(`${way}/${name}`)));
	const cores = ways("cpu").flatMap((way) => {
		const [quota] = numberIn(around.read(`${way}/cpu.cfs_quota_us`));
		const [period] = numberIn(around.read(`${way}/cpu.cfs_period_us`));
		return ratio(quota ?? -1, period ?? 0);
	});
	const memory = read("memory", "memory.limit_in_bytes");
	const [own] = ways("memory");
	return {
		version: 1,
		memory: least(memory.filter((each) => each < UNLIMITED)),
		cores: least(cores),
		kills: killsIn(around.read(`${own}/memory.oom_control`)),
		countsMemory: counts(around),
	};
}

/** /a/b, /a, / */
function upward(path: string): string[] {
	const normal = posix.join("/", path);
	return normal === "/" ? ["/"] : [normal, ...upward(posix.dirname(normal))];
}

/** "max" and what is not there are no number. */
function numberIn(text: string | undefined): number[] {
	const trimmed = text?.trim() ?? "";
	return /^-?\d+$/.test(trimmed) ? [Number(trimmed)] : [];
}

function ratio(quota: number, period: number): number[] {
	return quota > 0 && period > 0 ? [quota / period] : [];
}

function least(numbers: readonly number[]): number | undefined {
	return numbers.length === 0 ? undefined : Math.min(...numbers);
}

function killsIn(text: string | undefined): number {
	return Number(/^oom_kill (\d+)$/m.exec(text ?? "")?.[1] ?? 0);
}

/** /proc/cgroups: name, hierarchy, number, enabled. */
function counts({ read }: Pick<Around, "read">): boolean {
	return !/^memory\t\d+\t\d+\t0$/m.test(read("/proc/cgroups") ?? "");
}
