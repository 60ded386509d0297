import { type DestinationStream, destination, pino } from "pino";
import type { Log } from "../contract.js";

export interface LogOptions {
	level: "debug" | "info" | "warn" | "error" | "silent";
	/** Where lines go; by default stderr, since stdout belongs to pipelines. */
	to?: DestinationStream;
}

const STDERR = 2;

/**
 * JSON lines: `{"level":"warn","time":"2026-…Z","pipeline":…,"code":…,"msg":…}`. A line is written before the
 * call returns, so that the last one before a crash is there.
 */
export function createLog({ level, to }: LogOptions): Log {
	return pino(
		{
			level,
			base: null, // pid and host are the journal's or the container's to say
			timestamp: () => `,"time":"${new Date().toISOString()}"`,
			formatters: { level: (label) => ({ level: label }) },
			redact: { paths: SECRETS, censor: "***" },
			hooks: { streamWrite: withoutCredentials },
		},
		to ?? destination({ dest: STDERR, sync: true }),
	);
}

const SECRETS = ["password", "key", "*.password", "*.key", "*.*.password"];

/** Nobody logs a URL with a password on purpose; an error of a library may quote one. */
function withoutCredentials(line: string): string {
	return line.replaceAll(/:\/\/[^\s/"@]*@/g, "://***@");
}
