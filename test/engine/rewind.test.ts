import { afterEach, expect, test, vi } from "vitest";
import { Rewind } from "#host/engine/rewind.js";

afterEach(() => vi.restoreAllMocks());

test("the logs of all instances share 64 MiB; what one gives back another has", () => {
	// However slow the machine, no time passes between two checkpoints.
	vi.spyOn(performance, "now").mockReturnValue(0);
	const busy = Array.from({ length: 100 }, () => new Rewind());
	for (const each of busy) read(each, 3 * MIB);
	const checkpoints = busy.map((each) => read(each, MIB));
	// A log of 1 MiB is full once in 1 MiB, one of 8 KiB at each read of 16.
	expect(checkpoints.slice(0, 60)).toEqual(Array(60).fill(1));
	expect(checkpoints.slice(70)).toEqual(Array(30).fill(64));
	for (const each of busy) each.forget();
	const next = new Rewind();
	read(next, 3 * MIB);
	expect(read(next, MIB)).toBe(1);
	next.forget();
});

const MIB = 2 ** 20;
const READ = 16_384;
const memory = new WebAssembly.Memory({ initial: 1 });
const bytes = new DataView(memory.buffer);

/** Returns how many checkpoints so many bytes of input make. */
function read(rewind: Rewind, length: number): number {
	const save = vi.spyOn(rewind, "save").mockClear();
	for (let at = 0; at < length; at += READ) {
		rewind.note(bytes, 0, READ);
		rewind.settle({ memory, globals: [] });
	}
	return save.mock.calls.length;
}
