import type { LatencySnapshot, PipelineSnapshot } from "../../contract.js";

/** What one pipeline says it did. */
export interface PipelineAccount
	extends Pick<
		PipelineSnapshot,
		| "name"
		| "taken"
		| "emitted"
		| "dropped"
		| "failed"
		| "open"
		| "droppedBy"
		| "failedBy"
		/** Messages published; a filter may write none, one or many for a reading. */
		| "outputs"
	> {
	/** From take to settled. */
	p50ms: number;
	p99ms: number;
}

export function accountOf(snapshot: PipelineSnapshot): PipelineAccount {
	const { name, taken, emitted, dropped, failed, open } = snapshot;
	const { droppedBy, failedBy, outputs, latency } = snapshot;
	return {
		...{ name, taken, emitted, dropped, failed, open },
		...{ droppedBy, failedBy, outputs },
		p50ms: quantile(latency, 0.5),
		p99ms: quantile(latency, 0.99),
	};
}

/** To the bucket's upper bound, ms; 0 without samples. */
export function quantile(latency: LatencySnapshot, q: number): number {
	let left = latency.samples * q;
	for (const [k, samples] of latency.counts.entries()) {
		left -= samples;
		if (left <= 0 && latency.samples > 0) return latency.bounds[k] ?? 0;
	}
	return 0;
}

export interface DemoSummary {
	published: number;
	/** Of those, broken on purpose. */
	broken: number;
	seconds: number;
	/** Messages that came back from the broker, counted by the demo itself. */
	received: number;
	/** Lines in the quarantine files. */
	quarantined: number;
	pipelines: PipelineAccount[];
	/** Everything above adds up. */
	balanced: boolean;
}

/** Sums up; `balanced` says whether every reading and every output is accounted for. */
export function sumUp(facts: Omit<DemoSummary, "balanced">): DemoSummary {
	return { ...facts, balanced: imbalances(facts).length === 0 };
}

/** What does not add up, one sentence each. */
export function imbalances(facts: Omit<DemoSummary, "balanced">): string[] {
	const { published, pipelines, received, quarantined } = facts;
	const wrong = pipelines.flatMap((each) =>
		pipelineImbalances(each, published),
	);
	const outputs = sum(pipelines.map((each) => each.outputs));
	if (received !== outputs)
		wrong.push(
			`${count(outputs)} outputs were published, ${count(received)} came back from the broker`,
		);
	const failed = sum(pipelines.map((each) => each.failed));
	if (quarantined !== failed)
		wrong.push(
			`${count(failed)} readings failed, ${count(quarantined)} are in the quarantine`,
		);
	return wrong;
}

function pipelineImbalances(
	each: PipelineAccount,
	published: number,
): string[] {
	const { name, taken, emitted, dropped, failed, open } = each;
	const wrong: string[] = [];
	if (taken !== published)
		wrong.push(`${name}: ${count(published)} published, ${count(taken)} taken`);
	if (emitted + dropped + failed !== taken || open !== 0)
		wrong.push(
			`${name}: ${count(taken)} taken, ${count(emitted + dropped + failed)} accounted for`,
		);
	return wrong;
}

/** The closing table and what is to be read beside it. */
export function summaryText(summary: DemoSummary): string {
	const { published, broken, seconds, pipelines } = summary;
	const rate = Math.round(published / seconds);
	return [
		`${count(published)} readings published in ${seconds.toFixed(1)} s (${count(rate)}/s), ${broken} of them broken on purpose`,
		"",
		...table(pipelines, published),
		"",
		`each pipeline takes all readings; the live line above adds up what became of them in all (x ${pipelines.length})`,
		...pipelines.flatMap(gathered),
		"",
		...reasons("dropped, why", pipelines, "droppedBy"),
		...reasons("failed, why", pipelines, "failedBy"),
		"",
		...verdict(summary),
		"",
	].join("\n");
}

/** A timer or the end of the input caused them, no reading. */
function gathered({ name, emitted, outputs }: PipelineAccount): string[] {
	if (emitted > 0 || outputs === 0) return [];
	return [
		`${name}: its outputs are of many readings at once, so none counts as emitted`,
	];
}

const COLUMNS = [
	"pipeline",
	"published",
	"taken",
	"emitted",
	"dropped",
	"failed",
	"outputs",
	"p50 ms",
	"p99 ms",
];

function table(
	pipelines: readonly PipelineAccount[],
	published: number,
): string[] {
	const rows = pipelines.map((each) => [
		each.name,
		count(published),
		`= ${count(each.taken)}`,
		`= ${count(each.emitted)}`,
		`+ ${count(each.dropped)}`,
		`+ ${count(each.failed)}`,
		count(each.outputs),
		each.p50ms.toFixed(2),
		each.p99ms.toFixed(2),
	]);
	const all = [COLUMNS, ...rows];
	const widths = COLUMNS.map((_, k) =>
		Math.max(...all.map((row) => (row[k] as string).length)),
	);
	return all.map((row) =>
		row
			.map((cell, k) => pad(cell, widths[k] as number, k))
			.join("  ")
			.trimEnd(),
	);
}

function pad(cell: string, width: number, column: number): string {
	return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function reasons(
	title: string,
	pipelines: readonly PipelineAccount[],
	by: "droppedBy" | "failedBy",
): string[] {
	const lines = pipelines
		.filter((each) => Object.keys(each[by]).length > 0)
		.map((each) => `  ${each.name}: ${counted(each[by])}`);
	return lines.length === 0 ? [] : [title, ...lines];
}

function counted(by: Readonly<Record<string, number>>): string {
	return Object.entries(by)
		.map(([reason, n]) => `${reason} ${count(n)}`)
		.join(", ");
}

function verdict(summary: DemoSummary): string[] {
	const wrong = imbalances(summary);
	if (wrong.length > 0)
		return [
			"NOT EVERY READING IS ACCOUNTED FOR:",
			...wrong.map((line) => `  ${line}`),
		];
	return [
		"every reading is accounted for: published = taken = emitted + dropped + failed, in each pipeline;",
		`${count(summary.received)} outputs came back from the broker, ${count(summary.quarantined)} failures are in the quarantine`,
	];
}

function sum(numbers: readonly number[]): number {
	return numbers.reduce((total, n) => total + n, 0);
}

export function count(n: number): string {
	return n.toLocaleString("en-US");
}
