import { WasieveError } from "../errors.js";
import type { Server } from "./connection.js";
import { withoutId } from "./encode.js";
import type { Outbox } from "./outbox.js";
import type { Slab } from "./slab.js";

/**
 * Fits an encoded output to what this broker allows, which was not known when it was encoded, and writes
 * what is left of its expiry.
 * @param k its index in the outbox
 * @param now gateway clock, ms
 * @returns why it may not be sent, if so
 */
export function fitTo(
	box: Outbox,
	k: number,
	server: Server,
	now: number,
): WasieveError | undefined {
	const size = box.size(k);
	if (size > server.maximumPacketSize)
		return new WasieveError(
			"E_OUTPUT_REFUSED",
			`An output of ${size} bytes is larger than the broker's maximum packet size of ${server.maximumPacketSize}.`,
			{ hint: "Raise the broker's limit (mosquitto: max_packet_size)." },
		);
	const { bytes } = box.slab[k] as Slab;
	const at = box.at[k] as number;
	if (!server.retain) bytes[at] = (bytes[at] as number) & 0xfe;
	if ((box.qos[k] as number) > server.maximumQoS) lower(box, k, server);
	if (box.expiryAt[k] === 0) return undefined;
	const left = (box.expires[k] as number) - now;
	if (left <= 0 && !isDup(bytes[at] as number)) return expired();
	bytes.writeUInt32BE(
		Math.max(1, Math.floor(left / 1000)),
		box.expiryAt[k] as number,
	);
	return undefined;
}

function lower(box: Outbox, k: number, server: Server): void {
	const { bytes } = box.slab[k] as Slab;
	const at = box.at[k] as number;
	bytes[at] = ((bytes[at] as number) & 0xf1) | (server.maximumQoS << 1);
	box.qos[k] = server.maximumQoS;
	if (server.maximumQoS > 0) return;
	box.at[k] = withoutId(bytes, at, box.idAt[k] as number);
	box.idAt[k] = 0;
}

function isDup(header: number): boolean {
	return (header & 8) !== 0;
}

function expired(): WasieveError {
	return new WasieveError(
		"E_READING_EXPIRED",
		"An output's message expiry passed before it could be sent.",
	);
}
