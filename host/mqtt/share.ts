import { type Batch, type Intake, RETAINED, type Source } from "../contract.js";
import { WasieveError } from "../errors.js";
import { each } from "./each.js";
import { Once } from "./once.js";
import { Patience } from "./patience.js";
import { Rounds } from "./rounds.js";
import { MqttSource, type SourceOptions } from "./source.js";

/** A QoS 0 subscription that any number of lines read: each join() is a source. */
export interface Share {
	join(): Source;
}

/**
 * One connection, one slab and one subscription for all lines that read the same. Each batch goes from line
 * to line, nothing is copied. For QoS 0 only, where no line has to acknowledge anything.
 *
 *                      ┌─▶ line a   takes
 *   broker ─▶ source ──┼─▶ line b   pauses: the socket waits for it, and with it the others,
 *                      │            as long as its patience lasts (patience.ts); then it is
 *                      └─▶ line c   left behind: what passes by is told to it as missed
 *
 * Connected while a line has started and not stopped. When all lines pause, the socket is not read,
 * as with a source of one's own.
 */
export function mqttShare(options: Omit<SourceOptions, "qos">): Share {
	return new MqttShare({ ...options, qos: 0 });
}

class MqttShare implements Share, Intake {
	#source: MqttSource | undefined;
	/** Those that have started and not stopped; replaced, not changed, since a line may leave while it takes. */
	#members: readonly Member[] = [];
	/** How many of them pause, and how many of these are no longer waited for. */
	#paused = 0;
	#behind = 0;
	/** Undefined before the first connection; false: subscribed and well. */
	#fault: WasieveError | false | undefined;
	/** Retained messages come with a subscription [MQTT-3.3.1-6]: those who come later need another one. */
	readonly #rounds = new Rounds(() => this.#source?.subscribe());
	readonly #patience = new Patience(() => this.#leaveBehind());

	constructor(readonly options: SourceOptions) {}

	join(): Source {
		return new Member(this);
	}

	/* --------------------------------------------------------------- members */

	start(member: Member): void {
		this.#members = [...this.#members, member];
		member.joined = true;
		if (member.paused) this.#count(member);
		member.round = this.#source?.asked
			? this.#rounds.next()
			: this.#rounds.current;
		if (this.#source === undefined) this.#open();
		if (this.#fault === false) member.up();
		else if (this.#fault) member.intake.health(this.#fault);
		this.#flow();
	}

	async leave(member: Member): Promise<void> {
		if (!member.joined) return;
		if (member.paused) this.#uncount(member);
		member.joined = false;
		this.#members = this.#members.filter((each) => each !== member);
		this.#flow();
		if (this.#members.length > 0) return;
		const source = this.#source;
		this.#source = this.#fault = undefined;
		this.#rounds.reset();
		await source?.close();
	}

	#open(): void {
		this.#source = new MqttSource(this.options);
		this.#source.start(this).catch(() => {}); // closed first: each line has been told
		// Nothing waits for an acknowledgement; should a broker ask for one, it gets it.
		this.#source.acknowledge(Number.POSITIVE_INFINITY);
	}

	/* ------------------------------------------------------- what the source says */

	take(batch: Batch): number {
		const { current, several } = this.#rounds;
		const others = several ? withoutRetained(batch) : batch;
		if (others !== batch) this.#rounds.wait();
		const hand = (member: Member) => {
			const own = member.round === current ? batch : others;
			if (own.count === 0) return;
			if (member.behind) member.intake.missed(own.count);
			else member.intake.take(own);
		};
		batch.lend(() => this.#each(hand));
		return 0;
	}

	refuse(topic: string, payload: Buffer, error: WasieveError): number {
		this.#each((member) => {
			if (member.behind) member.intake.missed(1);
			else member.intake.refuse(topic, payload, error);
		});
		return 0;
	}

	health(error: WasieveError | undefined): void {
		this.#fault = error ?? false;
		if (error === undefined) this.#rounds.granted();
		else this.#regroup();
		this.#each((member) => (error ? member.intake.health(error) : member.up()));
	}

	/** The next SUBSCRIBE is for all. */
	#regroup(): void {
		this.#rounds.reset();
		for (const member of this.#members) member.round = this.#rounds.current;
	}

	missed(): void {}

	end(): void {}

	#each(visit: (member: Member) => void): void {
		each(this.#members, (member) => {
			if (member.joined) visit(member); // or it has gone while another one took
		});
	}

	/* ----------------------------------------------------------- back-pressure */

	pause(member: Member): void {
		if (member.paused) return;
		member.paused = true;
		if (!member.joined) return;
		this.#count(member);
		this.#flow();
	}

	resume(member: Member): void {
		if (!member.paused) return;
		member.paused = false;
		if (!member.joined) return;
		this.#uncount(member);
		this.#flow();
	}

	#count(member: Member): void {
		this.#paused++;
		if (!this.#patience.begin(member)) this.#pass(member);
	}

	#uncount(member: Member): void {
		this.#paused--;
		if (member.behind) this.#behind--;
		else this.#patience.end(member);
		member.behind = false;
	}

	/** Nobody waits for it any more. */
	#pass(member: Member): void {
		this.#patience.end(member);
		member.behind = true;
		this.#behind++;
	}

	#leaveBehind(): void {
		for (const member of this.#members) {
			const waited = member.paused && !member.behind;
			if (waited && this.#patience.left(member) <= 0) this.#pass(member);
		}
		this.#flow();
	}

	/** The socket is read while somebody takes and nobody is waited for. */
	#flow(): void {
		const all = this.#paused === this.#members.length;
		const waiting = this.#paused > this.#behind;
		this.#patience.run(waiting && !all);
		this.#rounds.hold(all || waiting);
		if (all || waiting) this.#source?.pause();
		else this.#source?.resume();
	}
}

/** A line's end of the share. */
class Member implements Source {
	intake!: Intake;
	joined = false;
	round = 0;
	paused = false;
	behind = false;
	/** Kept by {@link Patience}. */
	credit = Number.POSITIVE_INFINITY;
	counted = 0;
	held = 0;
	readonly #started = new Once<void>();

	constructor(readonly share: MqttShare) {}

	async start(intake: Intake): Promise<void> {
		this.intake = intake;
		this.share.start(this);
		await this.#started.promise;
	}

	up(): void {
		this.#started.resolve();
		this.intake.health(undefined);
	}

	pause(): void {
		this.share.pause(this);
	}

	resume(): void {
		this.share.resume(this);
	}

	acknowledge(): void {}

	async stop(): Promise<void> {
		await this.share.leave(this);
	}

	async close(): Promise<void> {
		const { topic } = this.share.options;
		this.#started.reject(
			new WasieveError(
				"E_MQTT_CONNECT",
				`The source ${topic} was closed before it was subscribed.`,
			),
		);
		await this.share.leave(this);
	}
}

/** The batch itself when it has none, which is the rule. */
function withoutRetained(batch: Batch): Batch {
	const fresh: number[] = [];
	for (let i = 0; i < batch.count; i++) {
		if (((batch.flags[i] as number) & RETAINED) === 0) fresh.push(i);
	}
	return fresh.length === batch.count ? batch : batch.pick(fresh);
}
