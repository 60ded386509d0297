// The firehose as a process of its own, so that its work is not on the client's bill. Talks over IPC:
//   ← { port }  ← { subscribed }  → { measure: { pid, warmMs, ms } }  ← { measured }
// firehose-process.mjs QOS [MIX as JSON]
import { openFirehose } from "./firehose.mjs";

const [qos, mix = "{}"] = process.argv.slice(2);
const firehose = await openFirehose({
	qos: qos === "1" ? 1 : 0,
	mix: JSON.parse(mix),
});
process.send?.({ port: firehose.port });
firehose.subscribed.then(() => process.send?.({ subscribed: true }));
process.on("message", async (/** @type {any} */ { measure }) => {
	process.send?.({ measured: await firehose.measure(measure) });
});
process.on("disconnect", () => process.exit());
