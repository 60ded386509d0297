// Why something was not run, in one line.

/**
 * @param {unknown} error of ours, or of a program that said why on stderr
 * @returns {string}
 */
export function reasonOf(error) {
	const { stderr, message } = /** @type {any} */ (error);
	return String(stderr || message).split("\n")[0] ?? "";
}

/**
 * @param {readonly { name: string, why: string }[]} absent
 * @returns {string} a sentence for a note, with a space before it; nothing when all were run
 */
export function notRun(absent) {
	if (absent.length === 0) return "";
	const each = absent.map(({ name, why }) => `${name} (${why})`);
	return ` Not run: ${each.join("; ")}.`;
}
