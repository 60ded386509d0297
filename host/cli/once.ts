/** As `work`, but done once for all inputs with the same key: what came of it, a return or a throw, comes again. */
export function once<In extends unknown[], Out>(
	key: (...input: In) => string,
	work: (...input: In) => Out,
): (...input: In) => Out {
	const results = new Map<string, () => Out>();
	return (...input) => {
		const name = key(...input);
		const result = results.get(name) ?? outcomeOf(() => work(...input));
		results.set(name, result);
		return result();
	};
}

/** Does the work now; what comes of it can be had any number of times. */
function outcomeOf<Out>(work: () => Out): () => Out {
	try {
		const out = work();
		return () => out;
	} catch (thrown) {
		return () => {
			throw thrown;
		};
	}
}
