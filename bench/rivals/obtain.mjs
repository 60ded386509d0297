// npm run bench:rivals: installs what is measured beside the gateway and is no dependency of it.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FOLDER, isInstalled, VERSION } from "./node-red.mjs";

if (isInstalled()) console.log(`Node-RED ${VERSION} is in ${FOLDER}`);
else {
	mkdirSync(FOLDER, { recursive: true });
	writeFileSync(join(FOLDER, "package.json"), '{ "private": true }\n');
	const args = ["install", `node-red@${VERSION}`, "--no-audit", "--no-fund"];
	execFileSync("npm", args, { cwd: FOLDER, stdio: "inherit" });
	console.log(`Node-RED ${VERSION}, installed in ${FOLDER}`);
}
