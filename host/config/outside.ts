import { asWasieveError, type WasieveError } from "../errors.js";
import type { Path, Report } from "./problem.js";
import type { EngineConfig } from "./types.js";

/** What a gateway file names and does not hold. Paths are absolute. */
export type Named =
	| { readonly kind: "engine"; readonly engine: EngineConfig }
	/** An image of a module, and the folder that images are kept in. */
	| { readonly kind: "image"; readonly image: string; readonly dir: string }
	/** A file that is read. */
	| { readonly kind: "source"; readonly file: string }
	/** A file that is written. */
	| { readonly kind: "sink"; readonly file: string }
	/** A folder that files are written in. */
	| { readonly kind: "folder"; readonly dir: string };

/**
 * Looks at something outside of the file: throws a WasieveError when a gateway could not work with it, returns one
 * when an operator should know. Handed in, so that the config does not need to know what an engine or an image is.
 */
export type Meet = (named: Named) => WasieveError | undefined;

/** Reports what `meet` says about it, at its place in the file. */
export function meetAt(
	named: Named,
	path: Path,
	meet: Meet,
	report: Report,
): void {
	try {
		const remark = meet(named);
		if (remark) report.warn(remark.code, path, remark.message, hintOf(remark));
	} catch (thrown) {
		const error = asWasieveError(thrown);
		report.add(error.code, path, error.message, hintOf(error));
	}
}

function hintOf({ hint }: WasieveError): string {
	return hint ?? "docs/errors.md says more";
}
