/** `host:port`, `[::1]:port`, or a bare port on loopback; undefined when it is neither. */
export function parseAddress(
	written: string | number,
): { host: string; port: number } | undefined {
	const [, bracketed, plain, digits] =
		/^(?:(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/[\]]+)):)?(\d{1,5})$/.exec(
			String(written).trim(),
		) ?? [];
	const port = Number(digits);
	if (digits === undefined || port > 65_535) return undefined;
	return { host: bracketed ?? plain ?? "127.0.0.1", port };
}
