import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { finish, type Ran, ROOT } from "../../cli/child.js";
import { policy } from "../../pack/tools.js";

export type Base = "BUILD_IMAGE" | "NODE_IMAGE" | "GO_IMAGE" | "MQTT_IMAGE";

/** buildah with a storage of its own: builds without a daemon, by chroot. */
export class Builder {
	constructor(readonly folder: string) {
		mkdirSync(join(folder, "tmp"), { recursive: true });
	}

	async run(...args: string[]): Promise<string> {
		const ran = await this.try(...args);
		if (ran.code !== 0)
			throw new Error(`buildah ${args.join(" ")}\n${ran.stderr.slice(-3000)}`);
		return ran.stdout.trim();
	}

	try(...args: string[]): Promise<Ran> {
		const storage = [
			"--root",
			join(this.folder, "root"),
			"--runroot",
			join(this.folder, "run"),
			"--storage-driver",
			"overlay",
		];
		return finish(["buildah", ...storage, ...args], {
			cwd: ROOT,
			env: { ...process.env, TMPDIR: join(this.folder, "tmp") },
		});
	}

	/** An image of what `fill` puts into a folder. */
	async base(
		name: string,
		fill: (root: string) => void,
		platform = "",
	): Promise<string> {
		const root = join(this.folder, "base");
		mkdirSync(root);
		fill(root);
		const container = await this.run("from", "scratch");
		await this.run("copy", "-q", container, root, "/");
		rmSync(root, { recursive: true });
		const [, arch, variant] = platform.split("/");
		const machine = arch ? ["--arch", arch] : [];
		if (variant) machine.push("--variant", variant);
		const env = [
			"PATH=/usr/local/bin:/usr/local/go/bin:/usr/bin:/bin",
			"NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt",
			"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
			"HOME=/root",
		].flatMap((each) => ["--env", each]);
		await this.run("config", ...machine, ...env, container);
		await this.run("commit", "-q", container, `localhost/${name}`);
		await this.run("rm", container);
		return `localhost/${name}`;
	}

	/** One target of the repository's Dockerfile; the image's name. */
	async build(
		target: string,
		platform: string,
		bases: Partial<Record<Base, string>>,
		...args: string[]
	): Promise<string> {
		const name = `localhost/${target}:${platform.replaceAll("/", "-")}`;
		// Docker's builder says what it runs on by itself; buildah does not before 1.30.
		const given = { ...bases, BUILDPLATFORM: NATIVE };
		const buildArgs = Object.entries(given).flatMap(([key, value]) => [
			"--build-arg",
			`${key}=${value}`,
		]);
		await this.run(
			...["bud", "--isolation", "chroot", "--network", "host", "--layers"],
			...["--signature-policy", policy(this.folder), "--pull-never"],
			...["--platform", platform, "--target", target, "-t", name],
			...buildArgs,
			...args,
			".",
		);
		return name;
	}

	/** What `buildah inspect` says of an image as Docker sees it. */
	async inspect(image: string) {
		return JSON.parse(await this.run("inspect", "--type", "image", image));
	}

	/** The image as an archive for `docker load` or `wasieve inspect`. */
	async save(image: string, kind: string, file: string): Promise<string> {
		const to = `${kind}:${file}:${image}`;
		const signed = ["--signature-policy", policy(this.folder)];
		await this.run("push", "-q", ...signed, image, to);
		return file;
	}

	/** Bytes of its files, uncompressed. */
	async size(image: string): Promise<number> {
		const listed = await this.run("images", "--json", image);
		const [{ size }] = JSON.parse(listed);
		const [, number = "", unit = ""] = /^([\d.]+) (\w+)$/.exec(size) ?? [];
		return Number(number) * { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 }[unit as "B"];
	}
}

export const NATIVE = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
