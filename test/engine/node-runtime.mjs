/**
 * A WASI runtime in a few lines, as a program of its own: node node-runtime.mjs MODULE [K=V …]. It reads and
 * writes as plainly as it can, so that tests of engines behind pipes need nothing installed. A
 * trap is exit code 134. With --die-after-read it is killed (SIGKILL) once it has read.
 */
import { readFileSync, readSync, writeSync } from "node:fs";

const [, , file, ...options] = process.argv;
const dies = options.includes("--die-after-read");
const env = options.filter((each) => each.includes("="));
let memory;
const view = () => new DataView(memory.buffer);

function fd_read(fd, iovs, _count, out) {
	const at = view().getUint32(iovs, true);
	const length = view().getUint32(iovs + 4, true);
	let got = 0;
	for (;;) {
		try {
			got = readSync(fd, new Uint8Array(memory.buffer, at, length));
			break;
		} catch (error) {
			if (error.code === "EOF") break;
			if (error.code !== "EAGAIN") throw error;
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
		}
	}
	if (got > 0 && dies) process.kill(process.pid, 9);
	view().setUint32(out, got, true);
	return 0;
}

function write(fd, bytes) {
	for (let done = 0; done < bytes.length; ) {
		try {
			done += writeSync(fd, bytes, done);
		} catch (error) {
			if (error.code !== "EAGAIN") throw error;
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
		}
	}
}

function fd_write(fd, iovs, _count, out) {
	const at = view().getUint32(iovs, true);
	const length = view().getUint32(iovs + 4, true);
	write(fd, new Uint8Array(memory.buffer, at, length));
	view().setUint32(out, length, true);
	return 0;
}

function environ_sizes_get(count, size) {
	view().setUint32(count, env.length, true);
	view().setUint32(size, Buffer.byteLength(env.join("\0")) + 1, true);
	return 0;
}

function environ_get(pointers, buffer) {
	for (const each of env) {
		const bytes = Buffer.from(`${each}\0`);
		view().setUint32(pointers, buffer, true);
		new Uint8Array(memory.buffer).set(bytes, buffer);
		pointers += 4;
		buffer += bytes.length;
	}
	return 0;
}

const wasm = new WebAssembly.Module(readFileSync(file));
const wasi = {
	fd_read,
	fd_write,
	environ_sizes_get,
	environ_get,
	proc_exit: (code) => process.exit(code),
};
const { exports } = new WebAssembly.Instance(wasm, {
	wasi_snapshot_preview1: wasi,
});
memory = exports.memory;
try {
	exports._start();
} catch (error) {
	process.stderr.write(`wasm trap: ${error.message}\n`);
	process.exit(134);
}
