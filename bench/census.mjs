// What a gateway still holds after a full collection: RSS alone does not tell a leak from what has not been collected yet.
import { createInterface } from "node:readline";

const PRELOAD = new URL("census-preload.mjs", import.meta.url).href;

/** Environment of a gateway that can be counted. */
export const COUNTED = {
	NODE_OPTIONS: `--no-warnings --import=${PRELOAD}`,
};

/**
 * @typedef {object} Census
 * @property {number} [objects] JavaScript objects of whatever class; compiled code is none. Undefined before Node 20.13
 * @property {number} bytes in use on V8's heap and in buffers, memories of guests among them
 * @property {number} rss bytes
 */

/**
 * Makes the gateway collect all its garbage and counts what is left.
 *
 * @param {import("node:child_process").ChildProcess} gateway started with {@link COUNTED}, its stderr a pipe
 * @returns {Promise<Census>}
 * @throws when it ends meanwhile
 */
export async function takeCensus(gateway) {
	const stderr = /** @type {import("node:stream").Readable} */ (gateway.stderr);
	const lines = createInterface({ input: stderr });
	const answer = new Promise((resolve, reject) => {
		lines.on("line", (line) => {
			const [, json] = /^census (\{.*\})$/.exec(line) ?? [];
			if (json) resolve(JSON.parse(json));
		});
		lines.once("close", () => reject(new Error("the gateway has ended")));
	});
	gateway.kill("SIGUSR2");
	try {
		return await answer;
	} finally {
		lines.removeAllListeners().close();
		stderr.resume();
	}
}
