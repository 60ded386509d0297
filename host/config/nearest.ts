/** The candidate that was probably meant, undefined when none is close (more than a third of its letters differ; small or capital is all one). */
export function nearest(
	word: string,
	candidates: readonly string[],
): string | undefined {
	let best: string | undefined;
	let least = Number.POSITIVE_INFINITY;
	for (const candidate of candidates) {
		const edits = distance(word.toLowerCase(), candidate.toLowerCase());
		if (edits < least && edits <= Math.max(1, candidate.length / 3)) {
			best = candidate;
			least = edits;
		}
	}
	return best;
}

/** Edits between two words: insert, delete, replace, swap neighbours (optimal string alignment). */
export function distance(a: string, b: string): number {
	let before: number[] = [];
	let row = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replace = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			const least = Math.min(
				replace,
				(row[j] as number) + 1,
				(next[j - 1] as number) + 1,
			);
			const swapped =
				i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
			next.push(
				swapped ? Math.min(least, (before[j - 2] as number) + 1) : least,
			);
		}
		before = row;
		row = next;
	}
	return row[b.length] as number;
}
