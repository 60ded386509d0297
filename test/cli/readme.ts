/** The commands of a README: the lines of its `sh` blocks, without comments. */
export function commands(markdown: string): string[] {
	const blocks = markdown.matchAll(/^```sh\n([\s\S]*?)^```/gm);
	return [...blocks].flatMap(([, block]) =>
		(block as string)
			.split("\n")
			.map((line) => line.replace(/\s+#.*$/, "").trim())
			.filter((line) => line !== ""),
	);
}
