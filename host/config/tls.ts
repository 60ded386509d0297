import type { KeyObject, X509Certificate } from "node:crypto";
import { createRequire } from "node:module";
import { readText } from "./secret.js";
import type { Section, Surroundings } from "./section.js";
import type { TlsConfig } from "./types.js";

/** Loaded for whom has TLS. */
const crypto = () =>
	createRequire(import.meta.url)("node:crypto") as typeof import("node:crypto");

/** Reads the PEM files, so that a wrong one is found before anything connects. */
export function resolveTls(tls: Section, around: Surroundings): TlsConfig {
	const ca = readText(tls, "ca", around);
	const cert = readText(tls, "cert", around);
	const key = readText(tls, "key", around);
	if (ca !== undefined) certificate(ca, tls, "ca", around);
	checkPair(tls, cert, key, around);
	const servername = tls.get<string>("servername");
	return {
		...(ca === undefined ? {} : { ca }),
		...(cert === undefined ? {} : { cert }),
		...(key === undefined ? {} : { key }),
		...(servername === undefined ? {} : { servername }),
		insecure: tls.need<boolean>("insecure"),
	};
}

function checkPair(
	tls: Section,
	cert: string | undefined,
	key: string | undefined,
	around: Surroundings,
): void {
	for (const [one, other] of [
		["cert", "key"],
		["key", "cert"],
	] as const) {
		if (!tls.has(one) || tls.has(other)) continue;
		const what = `the key "${other}" is missing: a certificate and its private key go together`;
		const hint = `name the PEM file of the ${other}`;
		around.report.add("E_CONFIG_KEY", tls.path, what, hint, "key");
	}
	const own = cert && certificate(cert, tls, "cert", around);
	const secret = key && privateKey(key, tls, around);
	if (!own || !secret || own.checkPrivateKey(secret)) return;
	around.report.value(
		tls.at("key"),
		"is not the private key of the certificate",
		"name the key that the certificate was made with",
	);
}

function certificate(
	pem: string,
	tls: Section,
	name: string,
	around: Surroundings,
): X509Certificate | undefined {
	try {
		return new (crypto().X509Certificate)(pem);
	} catch {
		const what = "the file is not a PEM certificate";
		const hint = 'it has to hold "-----BEGIN CERTIFICATE-----"';
		around.report.value(tls.at(name), what, hint);
		return undefined;
	}
}

function privateKey(
	pem: string,
	tls: Section,
	around: Surroundings,
): KeyObject | undefined {
	try {
		return crypto().createPrivateKey(pem);
	} catch {
		const what = "the file is not a PEM private key without passphrase";
		const hint = "openssl pkey -in KEY -out NEW takes the passphrase off";
		around.report.value(tls.at("key"), what, hint);
		return undefined;
	}
}
