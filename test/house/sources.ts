import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A TypeScript file of host/. */
export interface SourceFile {
	/** Relative to host/: `mqtt/topics.ts`. */
	readonly path: string;
	readonly text: string;
	/** Without comments and, apart from import specifiers, with strings as they are. */
	readonly code: string;
	/** What it imports, types included, as written. */
	readonly imports: readonly string[];
}

export function hostSources(): SourceFile[] {
	return readdirSync(join(ROOT, "host"), { recursive: true, encoding: "utf8" })
		.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
		.map((path) => sourceFile(path.replaceAll("\\", "/")));
}

function sourceFile(path: string): SourceFile {
	const text = readFileSync(join(ROOT, "host", path), "utf8");
	const code = withoutComments(text);
	const found = withoutTemplates(code).matchAll(
		/^(?:import|export)\b[^;"'()]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm,
	);
	return {
		path,
		text,
		code,
		imports: [...found].map((each) => each.slice(1).find(Boolean) as string),
	};
}

/** Strings are recognised so that "//" in a URL begins no comment. */
function withoutComments(text: string): string {
	const token =
		/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
	return text.replaceAll(token, (found) =>
		found.startsWith("/*") || found.startsWith("//") ? " " : found,
	);
}

/** Programs inside templates (`wasieve new` writes some) import nothing here. */
function withoutTemplates(code: string): string {
	return code.replaceAll(/`(?:\\.|[^`\\])*`/g, "``");
}

/** Code alone: strings emptied, so that a word in a message is not a use of it. */
export function withoutStrings(code: string): string {
	return code.replaceAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""');
}

export function roomOf(path: string): string {
	return path.includes("/") ? (path.split("/")[0] as string) : "";
}
