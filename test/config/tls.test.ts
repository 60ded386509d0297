import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { folder, parse, problems, withPipeline } from "./gateway-file.js";

/** openssl is on every machine that CI runs on; without it there is no certificate to read. */
const openssl = (() => {
	try {
		return execFileSync("openssl", ["version"]).length > 0;
	} catch {
		console.warn("skipped: TLS configs need openssl to make a certificate");
		return false;
	}
})();

const top = (tls: string) => `broker: { url: mqtts://b, tls: ${tls} }\n`;

describe.skipIf(!openssl)("certificates", () => {
	beforeAll(() => {
		const at = (name: string) => join(folder(), name);
		execFileSync(
			"openssl",
			`req -x509 -newkey rsa:2048 -nodes -keyout ${at("key.pem")} -out ${at("cert.pem")} -subj /CN=b -days 1`.split(
				" ",
			),
			{ stdio: "ignore" },
		);
		const { privateKey } = generateKeyPairSync("ed25519");
		const pem = privateKey.export({ type: "pkcs8", format: "pem" });
		writeFileSync(at("other.pem"), pem);
		writeFileSync(at("not.pem"), "hello");
	});

	test("are read at once", () => {
		const text = withPipeline({
			top: top("{ ca: cert.pem, cert: cert.pem, key: key.pem, servername: b }"),
		});
		expect(parse(text).broker).toMatchObject({
			tls: {
				ca: expect.stringContaining("BEGIN CERTIFICATE"),
				cert: expect.stringContaining("BEGIN CERTIFICATE"),
				key: expect.stringContaining("PRIVATE KEY"),
				servername: "b",
				insecure: false,
			},
		});
	});

	test.each([
		[
			"{ ca: none.pem }",
			"1:38 E_CONFIG_VALUE broker.tls.ca: the file none.pem cannot be read (ENOENT) → name a file that the gateway may read; paths are relative to the config file",
		],
		[
			"{ ca: not.pem }",
			'1:38 E_CONFIG_VALUE broker.tls.ca: the file is not a PEM certificate → it has to hold "-----BEGIN CERTIFICATE-----"',
		],
		[
			"{ cert: cert.pem }",
			'1:27 E_CONFIG_KEY broker.tls: the key "key" is missing: a certificate and its private key go together → name the PEM file of the key',
		],
		[
			"{ cert: cert.pem, key: other.pem }",
			"1:55 E_CONFIG_VALUE broker.tls.key: is not the private key of the certificate → name the key that the certificate was made with",
		],
		[
			"{ cert: cert.pem, key: not.pem }",
			"1:55 E_CONFIG_VALUE broker.tls.key: the file is not a PEM private key without passphrase → openssl pkey -in KEY -out NEW takes the passphrase off",
		],
	])("%s", (tls, expected) => {
		expect(problems(withPipeline({ top: top(tls) }))).toEqual([expected]);
	});
});

test("a password file that cannot be read", () => {
	const text = withPipeline({
		top: "broker: { url: mqtt://b, username: u, password: { file: none } }\n",
	});
	expect(problems(text)).toEqual([
		"1:57 E_CONFIG_VALUE broker.password.file: the file none cannot be read (ENOENT) → name a file that the gateway may read; paths are relative to the config file",
	]);
});
