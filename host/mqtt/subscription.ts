import type { Log } from "../contract.js";
import { WasieveError } from "../errors.js";
import type { Connection, Server } from "./connection.js";
import { reasonText } from "./faults.js";
import type { BrokerOptions } from "./options.js";

/** A source's SUBSCRIBE: said once per session, and again when the broker has refused or forgotten it. */
export class Subscription {
	/** Whether SUBSCRIBE has been sent on this connection. */
	asked = false;
	/** Whether the session has it. */
	#held = false;

	/** @param granted is called with each connection that has the subscription */
	constructor(
		private readonly o: {
			readonly topic: string;
			readonly qos: 0 | 1 | 2;
			readonly broker: Pick<BrokerOptions, "clean">;
			readonly log?: Log;
		},
		private readonly connection: Connection,
		private readonly granted: () => void,
	) {}

	up(server: Server): void {
		// Subscribing again would bring all retained messages again [MQTT-3.8.4-3].
		if (this.#held && server.session) {
			this.granted();
			return;
		}
		if (this.#held && !this.o.broker.clean) this.#tellForgotten();
		this.subscribe();
	}

	/** A loss that nobody can count: the broker was started again without persistence, or the session had expired. */
	#tellForgotten(): void {
		this.o.log?.warn(
			{ topic: this.o.topic },
			"the broker has forgotten the session: what came while the connection was away is lost (does the broker keep sessions over a restart?)",
		);
	}

	down(): void {
		this.asked = false;
	}

	/** Again on the same connection, it brings all retained messages again [MQTT-3.8.4-3]. */
	subscribe(): void {
		if (!this.connection.connected) return;
		this.asked = true;
		this.#held = false; // until SUBACK: the session may be a new one without subscriptions
		const { topic, qos } = this.o;
		this.connection.client.subscribe(
			topic,
			{ qos },
			(error, _subscriptions, suback) => {
				const code = Number(suback?.granted[0] ?? qos);
				if (code > 2) this.#refused(code);
				else if (!error) this.#taken(code);
			},
		);
	}

	#taken(code: number): void {
		const { topic, qos, log } = this.o;
		if (code < qos)
			log?.warn({ topic, qos: code }, "the broker granted a lower QoS");
		this.#held = true;
		this.granted();
	}

	#refused(code: number): void {
		this.connection.reset(
			new WasieveError(
				"E_MQTT_SUBSCRIBE",
				`${this.connection.target.name} refused the subscription to ${this.o.topic}: ${reasonText(code)}.`,
				{
					hint: "Check the topic filter and the user's access rights at the broker; wasieve keeps trying.",
				},
			),
		);
	}
}
