import type { GatewayConfig } from "../../config/types.js";
import type { Clock } from "../../contract.js";
import type { Workshop } from "../../engine/preflight.js";
import { asWasieveError, type Code } from "../../errors.js";
import type { Io } from "../io.js";

export type Verdict = "ok" | "warn" | "fail";

/** One line of the doctor: what was looked at, how it is, why, and the command that mends it. */
export interface Finding {
	readonly look: string;
	readonly verdict: Verdict;
	readonly what: string;
	/** A command, or what else to do. */
	readonly mend?: string;
	/** When the gateway would fail with it. */
	readonly code?: Code;
}

/** What a program said. */
export interface Said {
	/** Its exit code; undefined when it was not there, or killed at the deadline. */
	readonly code: number | undefined;
	readonly out: string;
	/** stderr; or why it could not run. */
	readonly err: string;
}

/** All that a look touches, so that a test can put something else in its place. */
export interface Around {
	/** The text of a system file; undefined when there is none or it is not for us. */
	read(path: string): string | undefined;
	/** The names in a system folder; none when it is not there. */
	list(path: string): readonly string[];
	/** Whether root or this user owns it. Programs and settings of others are not for root to run and read. */
	trusts(path: string): boolean;
	/** Runs a program of the workshop to its end. It is killed before the deadline of all looks; never rejects. */
	run(program: string, ...args: string[]): Promise<Said>;
	readonly workshop: Workshop;
	readonly clock: Clock;
	readonly env: Io["env"];
	readonly cwd: string;
	readonly machine: Machine;
	/** How long one look may take, ms. */
	readonly deadline: number;
	/** The gateway to look for; without it a look says what the machine is. */
	readonly config?: GatewayConfig;
}

/** What Node says of itself and of the machine. */
export interface Machine {
	/** As "24.1.0". */
	readonly node: string;
	/** The oldest Node that this package takes. */
	readonly oldest: string;
	/** Name of the long-term support line, if the version is of one. */
	readonly lts: string | undefined;
	readonly platform: string;
	readonly arch: string;
	/** Whether WebAssembly has 128-bit SIMD here. */
	readonly simd: boolean;
	readonly cores: number;
	/** Bytes. */
	readonly memory: number;
	/** Root may do what the gateway's own user may not. */
	readonly root: boolean;
}

/** One file each: looks at one thing, changes nothing, tells no secret. */
export type Look = (around: Around) => Promise<Finding[]>;

export function ok(look: string, what: string): Finding {
	return { look, verdict: "ok", what };
}

export function warn(look: string, what: string, mend?: string): Finding {
	return { look, verdict: "warn", what, ...(mend !== undefined && { mend }) };
}

export function fail(
	look: string,
	what: string,
	mend?: string,
	code?: Code,
): Finding {
	return {
		look,
		verdict: "fail",
		what,
		...(mend !== undefined && { mend }),
		...(code !== undefined && { code }),
	};
}

/** What the gateway would fail with, as a finding. */
export function failure(look: string, thrown: unknown, more = ""): Finding {
	const { code, message, hint } = asWasieveError(thrown);
	return fail(look, `${message.replace(/\.$/, "")}${more}`, hint, code);
}
