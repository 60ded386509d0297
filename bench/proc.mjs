// What Linux knows about processes: /proc/<pid>/stat, /proc/<pid>/status, /proc/stat.
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ is 100 on every Linux that Node runs on, so a tick is 10 ms. */
const TICK_US = 10_000;

/**
 * @param {number} pid
 * @returns {number} user + system time of all its threads in µs (steps of 10 ms); NaN when it is gone
 */
export function cpuOf(pid) {
	try {
		// pid (comm) state ppid …: comm may hold spaces and parentheses, so count from the last one.
		const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return (Number(fields[11]) + Number(fields[12])) * TICK_US;
	} catch {
		return Number.NaN;
	}
}

/**
 * The same to the nanosecond, for a process that does next to nothing; threads that have ended are not in it.
 *
 * @param {number} pid
 * @returns {number} µs; that of cpuOf() where the kernel keeps no such account
 */
export function fineCpuOf(pid) {
	try {
		const spent = readdirSync(`/proc/${pid}/task`).map((task) => {
			// on the processor, ns │ waiting for one, ns │ turns
			const text = readFileSync(
				`/proc/${pid}/task/${task}/schedstat`,
				"latin1",
			);
			return Number(text.split(" ")[0]) / 1000;
		});
		return spent.reduce((sum, us) => sum + us, 0);
	} catch {
		return cpuOf(pid);
	}
}

/**
 * @param {number} pid
 * @param {"VmRSS" | "VmHWM"} field resident now, or at its highest
 * @returns {number} MiB; NaN when the process is gone
 */
export function memoryOf(pid, field = "VmRSS") {
	try {
		const status = readFileSync(`/proc/${pid}/status`, "latin1");
		const kib = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1];
		return Number(kib) / 1024;
	} catch {
		return Number.NaN;
	}
}

/**
 * @returns {{ busy: number, stolen: number }} µs of all cores since boot: at work, and taken by the hypervisor
 */
export function cpuOfMachine() {
	const line = readFileSync("/proc/stat", "latin1").split("\n")[0] ?? "";
	const ticks = line.trim().split(/\s+/).slice(1).map(Number);
	// user nice system idle iowait irq softirq steal
	const at = (/** @type {number} */ i) => (ticks[i] ?? 0) * TICK_US;
	return { busy: at(0) + at(1) + at(2) + at(5) + at(6), stolen: at(7) };
}

/**
 * A moment to measure from: the wall clock, the machine, the process under test and those that serve it.
 *
 * @param {number} subject pid of the process under test
 * @param {readonly number[]} crew pids of brokers and the like; the calling process is always counted in
 */
export function snapshot(subject, crew = []) {
	const own = process.cpuUsage();
	const known = crew.reduce((sum, pid) => sum + cpuOf(pid), 0);
	return {
		ms: performance.now(),
		subject: cpuOf(subject),
		crew: known + own.user + own.system,
		machine: cpuOfMachine(),
	};
}

/**
 * @param {ReturnType<typeof snapshot>} a
 * @param {ReturnType<typeof snapshot>} b
 * @returns {{ ms: number, cpu: number, cores: number, foreign: number, stolen: number }}
 *   `cpu` of the subject in µs; `cores` it kept busy; `foreign` cores busy with something that is not part of the measurement
 */
export function between(a, b) {
	const us = (b.ms - a.ms) * 1000;
	const cpu = b.subject - a.subject;
	const busy = b.machine.busy - a.machine.busy;
	return {
		ms: b.ms - a.ms,
		cpu,
		cores: cpu / us,
		foreign: Math.max(0, (busy - cpu - (b.crew - a.crew)) / us),
		stolen: (b.machine.stolen - a.machine.stolen) / us,
	};
}
