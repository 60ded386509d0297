import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { Sink, Source } from "../contract.js";
import { Appender } from "./appender.js";
import { LineSink, streamTarget } from "./line-sink.js";
import { type Input, LineSource } from "./line-source.js";

/** Files, read one after the other, or a stream such as stdin. */
export type FileSourceOptions = (
	| { paths: readonly string[] }
	| { stdin: NodeJS.ReadableStream }
) & {
	/** Bytes without line end; a longer line is refused with E_READING_SIZE. */
	maxReading: number;
};

/**
 * Readings from lines. The topic of a reading is its file's name, or "stdin". Nothing is
 * acknowledged: a restart begins at the start of the first file. start() rejects with E_FILE_READ
 * when one of the files cannot be opened.
 */
export function fileSource(options: FileSourceOptions): Source {
	const inputs =
		"paths" in options
			? options.paths.map(fileInput)
			: [streamInput("stdin", options.stdin)];
	return new LineSource(inputs, options.maxReading);
}

function fileInput(path: string): Input {
	return { name: basename(path), path, open: () => openFile(path) };
}

function streamInput(name: string, stream: NodeJS.ReadableStream): Input {
	return { name, path: name, open: async () => stream };
}

async function openFile(path: string): Promise<NodeJS.ReadableStream> {
	const handle = await open(path);
	if ((await handle.stat()).isDirectory()) {
		await handle.close();
		throw Object.assign(new Error("a folder"), { code: "EISDIR" });
	}
	return createReadStream(path, { fd: handle });
}

/** A file that is appended to, or a stream such as stdout. */
export type FileSinkOptions =
	| {
			path: string;
			/** Pause before a failed write is tried again, ms; default 1,000. */
			retry?: number;
	  }
	| { stdout: NodeJS.WritableStream };

/**
 * Outputs as lines. An output in a file is delivered when the disk has it. While the file cannot be
 * written (disk full) nothing is given up: the write is tried again, and `ready` stays false.
 * start() rejects with E_FILE_WRITE when the file cannot be opened.
 * On a stream an output is delivered when the stream has taken it; one that breaks (EPIPE) is not coming back,
 * so what is left and what follows is undeliverable.
 */
export function fileSink(options: FileSinkOptions): Sink {
	if (!("path" in options)) {
		return new LineSink("stdout", streamTarget(options.stdout), undefined);
	}
	const { path, retry = 1000 } = options;
	return new LineSink(path, new Appender(path, true), retry);
}
