import { BADF, FAULT, INVAL, OK } from "./errno.js";
import type { GuestMemory } from "./guest-memory.js";
import type { Call, WasiHost } from "./wasi.js";

const SUBSCRIPTION = 48;
const EVENT = 32;
/** More than any program has descriptors and timers here; bounds the work of one call. */
const SUBSCRIPTIONS_MAX = 1024;

/** What a subscription costs, as bytes copied: 1 µs. */
const LOOK = 8000;

const CLOCK = 0;
const FD_READ = 1;
const FD_WRITE = 2;
const ABSOLUTE = 1;

/** In `due`: the subscription is an event already, or waits for stdin. Otherwise: nanoseconds to go. */
const NOW = 0n;
const STDIN = -1n;
const BAD = -2n;

export function poll(host: WasiHost, guest: GuestMemory): Record<string, Call> {
	return {
		poll_oneoff: (
			subs: number,
			events: number,
			count: number,
			result: number,
		) =>
			pollOneoff(
				host,
				guest,
				subs >>> 0,
				events >>> 0,
				count >>> 0,
				result >>> 0,
			),
	};
}

/**
 *   subs ─▶ | u64 user data | u8 kind | – × 7 | u32 clock | – × 4 | u64 timeout | u64 precision | u16 flags | – × 6 |
 *                                       or: | u32 descriptor | –
 *   events ─▶ | u64 user data | u16 errno | u8 kind | – × 5 | u64 bytes | u16 flags | – × 6 |
 *   result ─▶ | u32 number of events |
 */
function pollOneoff(
	host: WasiHost,
	guest: GuestMemory,
	subs: number,
	events: number,
	count: number,
	result: number,
): number {
	if (count === 0 || count > SUBSCRIPTIONS_MAX) return INVAL;
	if (!guest.holds(subs, count * SUBSCRIPTION)) return FAULT;
	if (!guest.holds(events, count * EVENT)) return FAULT;
	if (!guest.holds(result, 4)) return FAULT;

	host.spend?.(count * LOOK);
	const due: bigint[] = [];
	for (let k = 0; k < count; k++) {
		due.push(whenDue(host, guest, subs + k * SUBSCRIPTION));
	}
	const pause = soonest(due);
	const readable = host.wait(due.includes(STDIN), pause);

	let told = 0;
	for (let k = 0; k < count; k++) {
		const after = due[k] as bigint;
		const happened =
			after === STDIN
				? readable
				: after <= NOW || (!readable && after === pause);
		if (!happened) continue;
		report(
			guest,
			subs + k * SUBSCRIPTION,
			events + told * EVENT,
			after === BAD,
		);
		told++;
	}
	guest.setU32(result, told);
	return OK;
}

/** Nanoseconds until the subscription is an event, or STDIN or BAD. */
function whenDue(host: WasiHost, guest: GuestMemory, at: number): bigint {
	const kind = guest.bytes[at + 8];
	const subject = guest.u32(at + 16);
	if (kind === FD_READ) return subject === 0 ? STDIN : BAD;
	if (kind === FD_WRITE) return subject === 1 || subject === 2 ? NOW : BAD;
	if (kind !== CLOCK || subject > 1) return BAD;
	const timeout = guest.view.getBigUint64(at + 24, true);
	const flags = guest.view.getUint16(at + 40, true);
	if ((flags & ABSOLUTE) === 0) return timeout;
	const now = host.clock(subject);
	return timeout > now ? timeout - now : NOW;
}

/** How long to wait at most: undefined when only stdin can end it. */
function soonest(due: readonly bigint[]): bigint | undefined {
	let least: bigint | undefined;
	for (const after of due) {
		if (after === STDIN) continue;
		const pause = after === BAD ? NOW : after;
		if (least === undefined || pause < least) least = pause;
	}
	return least;
}

/** Writes an event after what it needs of its subscription is read: the guest may let them overlap. */
function report(
	guest: GuestMemory,
	subscription: number,
	event: number,
	bad: boolean,
): void {
	const userData = guest.view.getBigUint64(subscription, true);
	const kind = guest.bytes[subscription + 8] as number;
	guest.bytes.fill(0, event, event + EVENT);
	guest.setU64(event, userData);
	guest.bytes[event + 10] = kind;
	const descriptor = kind === FD_READ || kind === FD_WRITE;
	if (bad) guest.view.setUint16(event + 8, descriptor ? BADF : INVAL, true);
	else if (descriptor) guest.setU64(event + 16, 1n);
}
