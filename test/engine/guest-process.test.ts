import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GuestProcess } from "#host/engine/guest-process.js";
import { prepareTelling } from "#host/engine/prepared.js";
import { folder } from "../cli/child.js";
import { script, WORKSHOP } from "./engines.js";
import { fixture } from "./wat.js";

const { ear, first, last } = prepareTelling(
	{ module: await fixture("cat"), runtime: script("") },
	{ memory: 1 << 24 },
);

/** Runs a shell script as if it were an engine; resolves with its output when it is told as gone. */
function guestOf(body: string, heard: () => void): Promise<string> {
	let said = "";
	return new Promise((resolve) => {
		const guest = new GuestProcess(
			{
				...{ runtime: script(""), ear, first, last, output: 1000 },
				command: () => ["/bin/sh", "-c", body],
				surroundings: WORKSHOP.surroundings,
			},
			{
				output: (bytes) => {
					said += Buffer.from(bytes).toString("latin1");
					heard();
				},
				log() {},
				done() {},
				asks() {},
				woke() {},
				died: () => resolve(said),
			},
		);
		guest.begin();
	});
}

test("what was said while this thread was busy is heard, though its engine has long been gone", async () => {
	const dir = folder();
	const path = (name: string) => `'${join(dir, name)}'`;
	const until = (name: string) =>
		`while [ ! -e ${path(name)} ]; do sleep 0.05; done`;
	// Another process holds the engine's pipe and speaks when told to.
	const later = `(${until("go")}; echo late; touch ${path("done")}) & echo here`;
	/** Longer than the pipe is waited for. */
	const busy = `sleep 1.2; touch ${path("go")}; ${until("done")}`;
	let work = () => {
		// By then the engine's end has been noticed. Timers come next, before pipes.
		setTimeout(() => {
			setImmediate(() => execFileSync("/bin/sh", ["-c", busy]));
		}, 100);
		work = () => {};
	};
	const said = await guestOf(later, () => work());
	expect(said).toBe("here\nlate\n");
});

test("text is told as it comes, whatever the module's sign", () => {
	ear.begin();
	let told = "";
	const heard = {
		output: (bytes: Uint8Array) => {
			told += Buffer.from(bytes).toString("latin1");
		},
		settled() {},
	};
	for (let byte = 0; byte < 0xf5; byte++) {
		ear.hear(Buffer.of(byte), heard);
		expect(told.charCodeAt(byte)).toBe(byte);
	}
});
