import net from "node:net";
import tls from "node:tls";
import type { WasieveError } from "../errors.js";
import { Connection, type Owner, PUBLISH } from "./connection.js";
import { silentFault } from "./faults.js";
import { type Inlet, malformed } from "./inlet.js";
import { type BrokerOptions, parseTarget, type Target } from "./options.js";

/** What to connect with; the session is always a clean one without a will. */
export type ProbeOptions = Omit<
	BrokerOptions,
	"clean" | "will" | "sessionExpiry"
>;

/** Bytes; nobody subscribes. */
const LARGEST = 64 * 1024;

/**
 * Connects once, is accepted, and leaves: resolves with the ms from the first SYN to the CONNACK. Nothing is subscribed,
 * published or kept. The client id has to be one that nobody else has.
 * @throws {WasieveError} E_MQTT_CONNECT, E_MQTT_AUTH, E_MQTT_TLS, E_MQTT_PROTOCOL
 */
export async function probeBroker(
	broker: ProbeOptions,
	deadline: number,
): Promise<number> {
	const begun = performance.now();
	const target = parseTarget(broker.url);
	let connection: Connection | undefined;
	let timer: NodeJS.Timeout | undefined;
	try {
		await new Promise<void>((up, down) => {
			const late = silentFault(target, `does not answer in ${deadline} ms`);
			timer = setTimeout(() => down(late), deadline);
			connection = new Connection(
				{ ...broker, clean: true },
				visitor(up, down, (inlet) => connection?.control(inlet)),
			);
		});
		return performance.now() - begun;
	} finally {
		clearTimeout(timer);
		await connection?.close();
	}
}

function visitor(
	up: () => void,
	down: (error: WasieveError) => void,
	control: (inlet: Inlet) => void,
): Owner {
	return {
		largest: LARGEST,
		properties: {},
		drink(inlet) {
			while (inlet.find()) {
				if (inlet.first >> 4 !== PUBLISH) control(inlet);
				inlet.at = inlet.next;
			}
			if (inlet.next - inlet.at > LARGEST)
				throw malformed("a control packet that is too large");
		},
		accepted() {},
		up,
		down,
	};
}

/** From when to when the broker's certificate is valid, whoever signed it; undefined when it shows none. */
export function certificateOf(
	broker: Pick<BrokerOptions, "url" | "tls">,
	deadline: number,
): Promise<{ from: Date; to: Date } | undefined> {
	const target = parseTarget(broker.url);
	return new Promise((resolve) => {
		const socket = connectBlindly(target, broker.tls);
		const finish = (found?: tls.PeerCertificate) => {
			socket.destroy();
			resolve(found && validityOf(found));
		};
		socket.setTimeout(deadline, () => finish());
		socket.on("error", () => finish());
		socket.on("secureConnect", () => finish(socket.getPeerCertificate()));
	});
}

/** No secret is sent: only what every client may see is looked at. */
function connectBlindly(
	{ host, port }: Target,
	options: BrokerOptions["tls"] = {},
): tls.TLSSocket {
	return tls.connect({
		host,
		port,
		...(net.isIP(host) === 0 ? { servername: host } : {}),
		...options,
		rejectUnauthorized: false,
	});
}

function validityOf({
	valid_from,
	valid_to,
}: tls.PeerCertificate): { from: Date; to: Date } | undefined {
	if (valid_from === undefined) return undefined;
	return { from: new Date(valid_from), to: new Date(valid_to) };
}
