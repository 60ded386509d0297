import { otherPlatform } from "../../pack/manifest.js";
import { lookUp } from "../../pack/pull.js";
import {
	parseRegistryReference,
	type RegistryReference,
} from "../../pack/reference.js";
import type { Registry } from "../../pack/registry.js";
import { ImageStore } from "../../pack/store.js";
import { registryOf } from "../images.js";
import { type Around, type Finding, failure, ok, warn } from "./finding.js";
import { imagesOf } from "./needs.js";

/** ms that two clocks may differ by. */
const CLOSE = 60_000;

/** The registries that the config's images come from, and each image: there, or at least here. */
export async function lookAtRegistries(around: Around): Promise<Finding[]> {
	const { config } = around;
	if (config === undefined) return [];
	const store = new ImageStore(config.images.dir);
	const references = imagesOf(config).map(parseRegistryReference);
	const names = [...new Set(references.map(({ registry }) => registry))];
	const found = await Promise.all(
		names.map((name) =>
			lookAtRegistry(
				references.filter(({ registry }) => registry === name),
				store,
				around,
			),
		),
	);
	return found.flat();
}

async function lookAtRegistry(
	references: readonly RegistryReference[],
	store: ImageStore,
	around: Around,
): Promise<Finding[]> {
	const [first] = references as [RegistryReference];
	const kept = references.every((each) => isHere(store, each));
	try {
		const registry = registryOf(first, {}, around, around.deadline / 4);
		const answer = await registry.ask({ method: "GET", path: "" });
		answer.resume();
		if (answer.statusCode !== 200)
			throw await registry.unexpected(answer, "/v2/");
		const images = await Promise.all(
			references.map((each) => lookAtImage(registry, each, store)),
		);
		const took = `${first.registry} answers and accepts us`;
		return [
			ok("registry", took),
			...lookAtDate(first, answer, around),
			...images,
		];
	} catch (thrown) {
		return [unlessHere(failure("registry", thrown), kept)];
	}
}

async function lookAtImage(
	registry: Registry,
	reference: RegistryReference,
	store: ImageStore,
): Promise<Finding> {
	const { repository, tag, digest: wanted } = reference;
	const name = `${repository}${tag ? `:${tag}` : ""}`;
	try {
		const { digest, platforms } = await lookUp(registry, reference);
		if (!platforms.some((each) => each.endsWith("/wasm")))
			throw otherPlatform(platforms.join(", "));
		const pinned = wanted ?? store.pinned(reference)?.digest;
		const what = `${name} is ${digest.slice(0, 19)}…, ${platforms.join(", ")}`;
		if (pinned === undefined || pinned === digest) return ok("image", what);
		return warn(
			"image",
			`${what}; ${pinned.slice(0, 19)}… is pinned and goes on running`,
			`wasieve pull ${reference.registry}/${name} --store ${store.dir}`,
		);
	} catch (thrown) {
		return unlessHere(failure("image", thrown), isHere(store, reference));
	}
}

function isHere(store: ImageStore, reference: RegistryReference): boolean {
	try {
		return store.find(reference) !== undefined;
	} catch {
		return false;
	}
}

/** What is here runs without its registry. */
function unlessHere(finding: Finding, here: boolean): Finding {
	if (!here) return finding;
	const what = `${finding.what}; what was pulled goes on running`;
	return { ...finding, verdict: "warn", what };
}

/** HTTP says what time it is [RFC 9110 6.6.1]. */
function lookAtDate(
	{ registry }: RegistryReference,
	{ headers }: { headers: { date?: string | undefined } },
	{ clock }: Around,
): Finding[] {
	const apart = Math.round(clock() - Date.parse(headers.date ?? ""));
	if (!(Math.abs(apart) > CLOSE)) return [];
	const seconds = Math.round(Math.abs(apart) / 1000);
	const what = `this machine's clock is ${seconds} s ${apart > 0 ? "ahead of" : "behind"} that of ${registry}`;
	return [warn("clock", what, "sudo timedatectl set-ntp true")];
}
