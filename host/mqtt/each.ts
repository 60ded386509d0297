/** Visits all, also those that are added meanwhile. One's defect is not the others': what is thrown is thrown when all have been visited. */
export function each<T>(all: Iterable<T>, visit: (one: T) => void): void {
	let failed = false;
	let first: unknown;
	for (const one of all) {
		try {
			visit(one);
		} catch (thrown) {
			if (!failed) first = thrown;
			failed = true;
		}
	}
	if (failed) throw first;
}
