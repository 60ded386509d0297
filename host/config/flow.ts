/** A value in YAML's flow style: `{ topic: x, qos: 1 }`. */
export function flow(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
	if (typeof value !== "object" || value === null) {
		return /^[\w./+-]+$/.test(String(value))
			? String(value)
			: JSON.stringify(value);
	}
	const entries = Object.entries(value).map(
		([name, each]) => `${name}: ${flow(each)}`,
	);
	return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}
