import { tmpdir } from "node:os";
import { type Leftover, leftoversIn } from "../../engine/scratch.js";
import { type Finding, ok, warn } from "./finding.js";

/** What processes that were killed left in the temporary folder: most of it goes by itself, this tells what does not. */
export async function lookAtLeftovers(): Promise<Finding[]> {
	const found = leftoversIn(tmpdir());
	const stuck = found.filter(({ own, image }) => !own || image !== undefined);
	const rest = found.length - stuck.length;
	const soon = `${rest} in ${tmpdir()}; the next engine that starts removes them`;
	return [
		...stuck.map(({ path, ...left }) => warn("leftovers", ...told(path, left))),
		...(rest > 0 ? [ok("leftovers", soon)] : []),
	];
}

function told(
	path: string,
	{ image }: Omit<Leftover, "path">,
): [what: string, mend: string] {
	if (image === undefined)
		return [
			`${path} is left of another user's process that was killed`,
			`sudo rm -r ${path}`,
		];
	const { engine, image: name } = image;
	return [
		`the image ${name} is left of a process that was killed; it goes when the engine ${engine} is used again`,
		`${programOf(engine)} image rm ${name} && rm -r ${path}`,
	];
}

/** docker-wasm is Docker. */
function programOf(engine: string): string {
	return engine.split("-")[0] as string;
}
