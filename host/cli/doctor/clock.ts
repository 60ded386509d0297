import { type Around, type Finding, fail, ok, warn } from "./finding.js";

/** No machine that runs this program is older than it. */
const FIRST = Date.parse("2026-01-01");
/** Two clocks that differ by less agree, ms. */
const CLOSE = 60_000;
/** A clock chip may hold local time: whole quarters of an hour away from UTC, and at most 14 hours. */
const ZONE = 900_000;
const FARTHEST = 14 * 3_600_000;

const SYNC =
	"sudo timedatectl set-ntp true, or install chrony; `timedatectl` shows whether it works";

/**
 * Whether this machine's clock can be right: certificates are refused with a wrong one, and readings carry
 * its time. What brokers' certificates and registries say about it, their own looks tell.
 */
export async function lookAtClock(around: Around): Promise<Finding[]> {
	const now = around.clock();
	const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
	if (now < FIRST)
		return [fail("clock", `${time}: certificates will be refused`, SYNC)];
	const synchronized = await isSynchronized(around);
	const chip = chipTime(around);
	return [
		synchronized === false
			? warn("clock", `${time}, which no time server confirms`, SYNC)
			: ok("clock", `${time}${SAID[String(synchronized)]}`),
		...lookAtChip(chip, now),
	];
}

const SAID: Readonly<Record<string, string>> = {
	true: ", kept right by a time server",
	undefined: "; whether a time server keeps it right cannot be seen here",
};

/** Undefined: nobody here knows. */
async function isSynchronized({
	run,
	list,
}: Around): Promise<boolean | undefined> {
	const kept = list("/run/systemd/timesync").includes("synchronized");
	if (kept) return true;
	const asked = ["show", "--property=NTPSynchronized", "--value"];
	const said = await run("timedatectl", ...asked);
	const [word] = /^(yes|no)$/m.exec(said.out) ?? [];
	return word === undefined ? undefined : word === "yes";
}

/** ms since 1970 by the clock chip. */
function chipTime({ read }: Around): number | undefined {
	const seconds = read("/sys/class/rtc/rtc0/since_epoch");
	return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function lookAtChip(chip: number | undefined, now: number): Finding[] {
	if (chip === undefined) return [];
	const apart = Math.abs(now - chip);
	const besideZone = Math.abs(apart - Math.round(apart / ZONE) * ZONE);
	if (apart < CLOSE || (apart < FARTHEST && besideZone < CLOSE)) return [];
	const what = `the clock chip says ${new Date(chip).toISOString()}: after a power cut that will be the time`;
	return [warn("clock", what, "sudo hwclock --systohc")];
}
