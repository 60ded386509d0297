// The ledger's share of a reading: taken, an output held for every sixth, all settled.
import { Ledger } from "#host/pipeline/ledger.js";
import { isHot } from "../load/readings.mjs";
import { suite } from "../suite.mjs";

const BATCH = 600;
const ledger = new Ledger(8192);

function atQos0() {
	const first = ledger.take(BATCH);
	for (let n = first; n < first + BATCH; n++) {
		if (isHot(n)) ledger.emit(n);
		ledger.release(n);
	}
	return ledger.low;
}

/** The outputs are acknowledged by the broker later, so `low` stops at the first of them. */
function atQos1() {
	const first = ledger.take(BATCH);
	for (let n = first; n < first + BATCH; n++) {
		if (isHot(n)) {
			ledger.emit(n);
			ledger.hold(n);
		}
		ledger.release(n);
	}
	for (let n = first; n < first + BATCH; n++) if (isHot(n)) ledger.release(n);
	return ledger.low;
}

for (const run of [atQos0, atQos1])
	if (run() !== ledger.next)
		throw new Error("the ledger has readings left over");
const { taken, emitted, dropped } = ledger.account();
if (taken !== 2 * BATCH || emitted !== taken / 6 || emitted + dropped !== taken)
	throw new Error(`the ledger counts ${JSON.stringify(ledger.account())}`);

await suite({
	title: "Ledger",
	note: "One reading in six has an output.",
	per: "reading",
	batch: BATCH,
	cases: { "no acknowledgement": atQos0, "outputs acknowledged later": atQos1 },
});
