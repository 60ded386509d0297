import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasMosquitto } from "./mosquitto.js";

/** Whether there is all that a broker with users and certificates needs; says so once when there is not. */
export const hasTools =
	hasMosquitto &&
	existsSync("/usr/bin/openssl") &&
	existsSync("/usr/bin/mosquitto_passwd");
if (!hasTools)
	console.warn("skipped: needs mosquitto, mosquitto_passwd and openssl");

function openssl(folder: string, ...args: string[]): void {
	execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
}

/** A certificate authority, a certificate for localhost and one for a client. */
export function makeCertificates(folder: string): void {
	const days = ["-days", "2"];
	const key = [
		"-newkey",
		"ec",
		"-pkeyopt",
		"ec_paramgen_curve:prime256v1",
		"-nodes",
	];
	openssl(
		folder,
		"req",
		"-x509",
		...key,
		"-keyout",
		"ca.key",
		"-out",
		"ca.pem",
		"-subj",
		"/CN=test CA",
		...days,
	);
	writeFileSync(
		join(folder, "names"),
		"subjectAltName=DNS:localhost,IP:127.0.0.1\n",
	);
	for (const [name, extra] of [
		["server", ["-extfile", "names"]],
		["client", []],
	] as const) {
		openssl(
			folder,
			"req",
			...key,
			"-keyout",
			`${name}.key`,
			"-out",
			`${name}.csr`,
			"-subj",
			`/CN=${name}`,
		);
		openssl(
			folder,
			"x509",
			"-req",
			"-in",
			`${name}.csr`,
			"-CA",
			"ca.pem",
			"-CAkey",
			"ca.key",
			"-CAcreateserial",
			"-out",
			`${name}.pem`,
			...days,
			...extra,
		);
	}
}
