import { describe, expect, it, test } from "vitest";
import { cgroupOf } from "#host/cli/doctor/cgroup.js";
import { lookAtClock } from "#host/cli/doctor/clock.js";
import { lookAtDescriptors } from "#host/cli/doctor/descriptors.js";
import { thisMachine } from "#host/cli/doctor/machine.js";
import { lookAtMemory } from "#host/cli/doctor/memory.js";
import { lookAtNode, lookAtProcessor } from "#host/cli/doctor/node.js";
import { gatewayWith, patient, type Symptoms, told } from "./patient.js";

describe("Node", () => {
	test.each([
		["24.11.0", "Krypton", /^ok Node 24\.11\.0 \(LTS Krypton\)$/],
		["18.20.4", "Hydrogen", /^fail Node 18\.20\.4; 20 is the oldest → nvm /],
		["20.20.2", "Iron", /^warn .* no fixes since 2026-04-30 → /],
		["25.1.0", undefined, /^warn .* no fixes since 2026-06-01 → /],
		["27.0.0", undefined, /^warn .* of no long-term support line → /],
		["30.1.0", "Zirconium", /^ok Node 30\.1\.0/],
	])("%s (%s)", async (node, lts, line) => {
		const found = await told(lookAtNode, { machine: { node, lts } });
		expect(found).toEqual([expect.stringMatching(line)]);
	});
});

describe("the processor", () => {
	test.each<[string, Symptoms, RegExp]>([
		["ARM", {}, /^ok linux arm64, 4 cores, SIMD$/],
		["one core", { machine: { cores: 1 } }, /, 1 core, /],
		["an odd one", { machine: { arch: "riscv64" } }, /^warn .*riscv64.*tested/],
		["no Linux", { machine: { platform: "darwin" } }, /^warn darwin/],
		["an old one", { machine: { simd: false } }, /^warn .*without SIMD/],
		[
			"more threads than cores",
			{ config: `threads: 8\n${gatewayWith("embedded")}` },
			/^warn .*4 cores for 8 threads → threads: 4 in .*gateway\.yaml$/,
		],
	])("%s", async (_, symptoms, line) => {
		const found = await told(lookAtProcessor, symptoms);
		expect(found).toEqual([expect.stringMatching(line)]);
	});
});

const V2 = {
	"/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
};
const SLICE = "/sys/fs/cgroup/system.slice";
const UNLIMITED = "9223372036854771712\n";

describe("cgroups", () => {
	it("v2: the strictest on the way up counts", () => {
		const files = {
			...V2,
			"/proc/self/cgroup": "0::/system.slice/wasieve.service\n",
			[`${SLICE}/wasieve.service/memory.max`]: "max\n",
			[`${SLICE}/wasieve.service/cpu.max`]: "50000 100000\n",
			[`${SLICE}/wasieve.service/memory.events`]:
				"low 0\noom 3\noom_kill 2\noom_group_kill 0\n",
			[`${SLICE}/memory.max`]: "268435456\n",
			[`${SLICE}/cpu.max`]: "max 100000\n",
		};
		expect(cgroupOf(patient({ files }))).toEqual({
			version: 2,
			memory: 2 ** 28,
			cores: 0.5,
			kills: 2,
			countsMemory: true,
		});
	});

	it("v2 in a container: what is its own is mounted at the top", () => {
		const files = {
			...V2,
			"/proc/self/cgroup": "0::/\n",
			"/sys/fs/cgroup/memory.max": "134217728\n",
		};
		expect(cgroupOf(patient({ files }))).toMatchObject({
			version: 2,
			memory: 2 ** 27,
			cores: undefined,
		});
	});

	it("v1 in a container: the host's path, the container's files at the top", () => {
		const v1 = "/sys/fs/cgroup";
		const files = {
			"/proc/self/cgroup":
				"9:name=systemd:/docker/4ac\n8:memory:/docker/4ac\n3:cpu,cpuacct:/docker/4ac\n",
			[`${v1}/memory/memory.limit_in_bytes`]: "67108864\n",
			[`${v1}/memory/docker/4ac/memory.oom_control`]:
				"oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
			[`${v1}/cpu/cpu.cfs_quota_us`]: "150000\n",
			[`${v1}/cpu/cpu.cfs_period_us`]: "100000\n",
		};
		expect(cgroupOf(patient({ files }))).toEqual({
			version: 1,
			memory: 2 ** 26,
			cores: 1.5,
			kills: 7,
			countsMemory: true,
		});
	});

	it("v1 without limits, beside an empty v2", () => {
		const files = {
			"/proc/self/cgroup": "8:memory:/\n3:cpu:/\n0::/\n",
			"/sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED,
			"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
			"/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		};
		expect(cgroupOf(patient({ files }))).toMatchObject({
			version: 1,
			memory: undefined,
			cores: undefined,
		});
	});

	it.each([
		["nothing at all", {}],
		["rubbish", { "/proc/self/cgroup": "\0\n::::\nx" }],
	])("%s is no cgroup", (_, files) => {
		expect(cgroupOf(patient({ files }))).toMatchObject({ version: undefined });
	});

	it("this machine's own", () => {
		const { version, memory = 1 } = cgroupOf(patientOfThisMachine());
		expect([1, 2, undefined]).toContain(version);
		expect(memory).toBeGreaterThan(0);
	});
});

function patientOfThisMachine() {
	return { read: thisMachine({ env: {}, cwd: "/" }, { deadline: 1 }).read };
}

const limited = (bytes: number): Symptoms => ({
	files: {
		...V2,
		"/proc/self/cgroup": "0::/\n",
		"/sys/fs/cgroup/memory.max": `${bytes}\n`,
	},
});

describe("memory", () => {
	test.each<[string, Symptoms, RegExp[]]>([
		["plenty", {}, [/^ok 2048 MiB in the machine, no cgroups$/]],
		["limited", limited(2 ** 29), [/^ok .*, limit 512 MiB \(cgroup v2\)$/]],
		[
			"little",
			limited(100 * 2 ** 20),
			[/^warn .*limit 100 MiB.* → docker run/],
		],
		[
			"too little",
			limited(2 ** 24),
			[/^fail .*limit 16 MiB.*is killed while it starts/],
		],
		["a small machine", { machine: { memory: 2 ** 24 } }, [/^fail 16 MiB/]],
		[
			"Raspberry Pi OS as it comes",
			{
				files: {
					"/proc/cgroups":
						"#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t90\t0\n",
				},
			},
			[/^ok/, /^warn the kernel does not count memory.*cgroup_enable=memory/],
		],
		[
			"killed once",
			{
				files: {
					...limited(2 ** 29).files,
					"/sys/fs/cgroup/memory.events": "oom_kill 1\n",
					"/sys/fs/cgroup/cpu.max": "50000 100000\n",
				},
			},
			[
				/^ok/,
				/^warn the out-of-memory killer has been here once → /,
				/^warn limit 0\.5 cores \(cgroup\) for 1 thread: .* → docker run --cpus 1$/,
			],
		],
	])("%s", async (_, symptoms, lines) => {
		const found = await told(lookAtMemory, symptoms);
		expect(found).toEqual(lines.map((line) => expect.stringMatching(line)));
	});
});

const openFiles = (limit: number) => ({
	"/proc/self/limits": `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            ${limit}                 ${limit}                 files
`,
});

describe("open files", () => {
	const config = gatewayWith("wazero");
	test.each<[string, Symptoms, RegExp[]]>([
		["enough", { files: openFiles(65_536) }, [/^ok 65536 may be open$/]],
		["few", { files: openFiles(256) }, [/^warn 256 .* → ulimit -n 65536/]],
		[
			"too few",
			{ files: openFiles(32), config },
			[/^fail 32 may be open, 53 are needed → ulimit/],
		],
		["enough for this", { files: openFiles(1024), config }, [/^ok .*53 are/]],
		["nobody knows", {}, []],
	])("%s", async (_, symptoms, lines) => {
		const found = await told(lookAtDescriptors, symptoms);
		expect(found).toEqual(lines.map((line) => expect.stringMatching(line)));
	});
});

const NOON = Date.parse("2026-11-25T12:00:00Z") / 1000;
const chip = (seconds: number): Symptoms => ({
	files: { "/sys/class/rtc/rtc0/since_epoch": `${seconds}\n` },
});

describe("the clock", () => {
	test.each<[string, Symptoms, RegExp[]]>([
		[
			"alone",
			{},
			[/^ok 2026-11-25T12:00:00Z; whether .* cannot be seen here$/],
		],
		[
			"after a power cut without a battery",
			{ now: "1970-01-01T00:01:00Z" },
			[/^fail 1970-01-01T00:01:00Z: certificates will be refused → sudo time/],
		],
		[
			"timesyncd",
			{ files: { "/run/systemd/timesync/synchronized": "" } },
			[/^ok .*, kept right by a time server$/],
		],
		[
			"timedatectl: yes",
			{ programs: { timedatectl: "echo yes" } },
			[/^ok .*, kept right/],
		],
		[
			"timedatectl: no",
			{ programs: { timedatectl: "echo no" } },
			[/^warn .*, which no time server confirms → sudo timedatectl set-ntp/],
		],
		[
			"timedatectl without systemd",
			{ programs: { timedatectl: "echo 'no bus' >&2; exit 1" } },
			[/^ok .*cannot be seen here/],
		],
		["a chip that agrees", chip(NOON + 3), [/^ok/]],
		["a chip in local time", chip(NOON + 5.5 * 3600), [/^ok/]],
		[
			"a chip that is off",
			chip(NOON - 40 * 86_400),
			[
				/^ok/,
				/^warn the clock chip says 2026-10-16.* → sudo hwclock --systohc/,
			],
		],
	])("%s", async (_, symptoms, lines) => {
		const found = await told(lookAtClock, symptoms);
		expect(found).toEqual(lines.map((line) => expect.stringMatching(line)));
	});
});
