import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Inlet } from "./inlet.js";

/**
 * The stream that MQTT.js believes to be its connection. It reads what the tap leaves
 * to it (CONNACK, SUBACK, DISCONNECT …) and its packets join ours on the socket.
 */
export class Control extends Duplex {
	readonly #socket: Socket;

	constructor(socket: Socket) {
		super();
		this.#socket = socket;
	}

	/** Gives the packet just found to MQTT.js; a copy, since the slab is used again. */
	deliver(inlet: Inlet): void {
		this.push(Buffer.from(inlet.bytes.subarray(inlet.at, inlet.next)));
	}

	override _read(): void {}

	override _write(
		chunk: Buffer,
		_encoding: BufferEncoding,
		done: () => void,
	): void {
		this.#socket.write(chunk);
		done();
	}

	/**
	 * mqtt-packet writes a packet in pieces under cork(). They must reach the socket as one,
	 * or a PUBACK of ours could land in the middle of a SUBSCRIBE.
	 */
	override _writev(
		pieces: { chunk: Buffer }[],
		done: (error?: Error) => void,
	): void {
		this.#socket.write(Buffer.concat(pieces.map((piece) => piece.chunk)));
		done();
	}

	override _final(done: () => void): void {
		this.#socket.end(done);
	}

	override _destroy(
		error: Error | null,
		done: (error: Error | null) => void,
	): void {
		this.#socket.destroy();
		done(error);
	}
}
