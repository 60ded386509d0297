// What is going on: one line that is written over on a terminal, and a line now and then where nobody watches.

/** Where lines stay, no more than one in this time, ms. */
const PAUSE_MS = 1000;

/**
 * @typedef {object} Progress
 * @property {(group: string, number: number, of: number) => void} begin a group
 * @property {(text: string) => void} say what is being done
 * @property {(text: string) => void} tell what is to stay on the screen
 * @property {() => void} clear before something else is printed
 */

/**
 * @param {{ write: (text: string) => unknown, isTTY?: boolean, columns?: number }} stream
 * @param {() => number} [clock] ms
 * @returns {Progress}
 */
export function openProgress(stream, clock = () => performance.now()) {
	const begun = clock();
	let where = "";
	let last = Number.NEGATIVE_INFINITY;
	const clear = () => {
		if (stream.isTTY) stream.write("\r\x1b[K");
	};
	return {
		begin(group, number, of) {
			where = `${number}/${of} ${group}`;
			last = Number.NEGATIVE_INFINITY;
		},
		say(text) {
			const now = clock();
			const line = `[${elapsed(now - begun)} · ${where}] ${text}`;
			if (stream.isTTY)
				stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
			else if (now - last >= PAUSE_MS) {
				last = now;
				stream.write(`${line}\n`);
			}
		},
		tell(text) {
			clear();
			stream.write(`${text}\n`);
		},
		clear,
	};
}

/** @param {number} ms */
function elapsed(ms) {
	const seconds = Math.floor(ms / 1000);
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
