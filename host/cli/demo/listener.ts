import type { Batch, Intake, Source } from "../../contract.js";

/** What came back from the broker. */
export interface Listener {
	/** Messages in all. */
	readonly received: number;
	/** Those of them below `out/alerts/`. */
	readonly alerts: number;
	/** The first message of each kind of alert, as topic and payload. */
	readonly samples: ReadonlyMap<string, string>;
	/** Resolves when `count` messages are there, or after `deadline` ms. */
	wait(count: number, deadline: number): Promise<void>;
	close(): Promise<void>;
}

/** Subscribes on a connection of its own, so that what the gateway says it published is checked from outside. */
export async function startListener(source: Source): Promise<Listener> {
	const heard = { received: 0, alerts: 0, samples: new Map<string, string>() };
	let enough: (() => void) | undefined;
	let wanted = Number.POSITIVE_INFINITY;
	const take = (batch: Batch): number => {
		const first = heard.received;
		for (let i = 0; i < batch.count; i++) note(heard, batch, i);
		heard.received += batch.count;
		source.acknowledge(heard.received);
		if (heard.received >= wanted) enough?.();
		return first;
	};
	await source.start(intake(take));
	return {
		get received() {
			return heard.received;
		},
		get alerts() {
			return heard.alerts;
		},
		samples: heard.samples,
		wait(count, deadline) {
			if (heard.received >= count) return Promise.resolve();
			wanted = count;
			return new Promise((resolve) => {
				const late = setTimeout(resolve, deadline);
				enough = () => {
					clearTimeout(late);
					resolve();
				};
			});
		},
		close: () => source.close(),
	};
}

function intake(take: Intake["take"]): Intake {
	return {
		take,
		refuse: () => 0, // its own outputs are far below any limit
		missed() {},
		end() {},
		health() {},
	};
}

function note(
	heard: { alerts: number; samples: Map<string, string> },
	batch: Batch,
	i: number,
): void {
	const topic = batch.topic(i);
	if (!topic.startsWith("out/alerts/")) return;
	heard.alerts++;
	const kind = topic.slice(topic.lastIndexOf("/") + 1);
	if (!heard.samples.has(kind))
		heard.samples.set(kind, `${topic}  ${batch.payload(i)}`);
}
