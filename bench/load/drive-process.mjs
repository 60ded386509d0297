// drive() as a process of its own. Talks over IPC: → { drive: options }  ← { driven } or { failed }
import { drive } from "./drive.mjs";

process.on("message", async (/** @type {any} */ { drive: options }) => {
	try {
		process.send?.({ driven: await drive(options) });
	} catch (error) {
		process.send?.({
			driven: { failed: /** @type {Error} */ (error).message },
		});
	}
});
process.on("disconnect", () => process.exit());
