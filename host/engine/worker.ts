/** The entry of a guest's thread: one instance after another, as often as the engine asks. */
import { workerData } from "node:worker_threads";
import { type Orders, Word } from "./channel.js";
import { runGuest } from "./guest-run.js";

const orders = workerData as Orders;
const words = new Int32Array(orders.words);

for (let generation = 0; ; generation++) {
	runGuest(orders);
	// The engine has been told that the guest died; it says when to begin anew.
	Atomics.wait(words, Word.GENERATION, generation);
}
