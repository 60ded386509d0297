// The gateway's embedded broker as a process of its own, so that its work is not on the gateway's bill. IPC: ← { port }
import { startBroker } from "#host/mqtt/broker.js";

const { url } = await startBroker({ host: "127.0.0.1", port: 0 });
process.send?.({ port: Number(new URL(url).port) });
process.on("disconnect", () => process.exit());
