import { cpus } from "node:os";

/** Cores busy with other things beyond which times are no more than a hint. */
const QUIET_MOST = 0.15;

/**
 * What the returned function gives: the cores that other processes kept busy since, on average. By the kernel's ticks
 * of 10 ms; what a hypervisor takes away is not in it.
 */
export function watchOthers(): () => number {
	const [begun, machine, own] = [performance.now(), busy(), process.cpuUsage()];
	return () => {
		const { user, system } = process.cpuUsage(own);
		const others = busy() - machine - (user + system) / 1000;
		return Math.max(0, others / (performance.now() - begun));
	};
}

/** ms of all cores since the start of the machine. */
function busy(): number {
	const each = cpus().map(({ times }) => times.user + times.nice + times.sys);
	return each.reduce((sum, ms) => sum + ms, 0);
}

/** Why times are not to be trusted; undefined on a quiet machine. */
export function disturbance(othersBusy: number): string | undefined {
	if (othersBusy <= QUIET_MOST) return undefined;
	return `${othersBusy.toFixed(1)} cores were busy with other things`;
}
