import { basename } from "node:path";
import type {
	FilterConfig,
	FromConfig,
	PipelineConfig,
	ToConfig,
} from "../config/types.js";

/** A pipeline in a line: `plant/+/press/# → overheat LIMIT=85 → alerts/{1}` */
export function pipelineWay({ from, filters, to }: PipelineConfig): string {
	return [place(from), ...filters.map(filterName), place(to)].join(" → ");
}

function place(end: FromConfig | ToConfig): string {
	if (end.kind === "mqtt") return end.topic;
	if (end.kind !== "file") return end.kind;
	const paths = "paths" in end ? end.paths : [end.path];
	return paths.map((path) => basename(path)).join(", ");
}

function filterName({ module, params }: FilterConfig): string {
	const settings = Object.entries(params).map(
		([key, value]) => `${key}=${value}`,
	);
	return [basename(module, ".wasm"), ...settings].join(" ");
}
