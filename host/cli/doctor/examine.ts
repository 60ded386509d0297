import { lookAtBrokers } from "./brokers.js";
import { lookAtClock } from "./clock.js";
import { lookAtDescriptors } from "./descriptors.js";
import { lookAtDocker } from "./docker.js";
import { lookAtDoor } from "./door.js";
import { lookAtEngines } from "./engines.js";
import type { Around, Finding, Look } from "./finding.js";
import { failure, warn } from "./finding.js";
import { lookAtFolders } from "./folders.js";
import { lookAtImages } from "./images.js";
import { lookAtLeftovers } from "./leftovers.js";
import { lookAtMemory } from "./memory.js";
import { lookAtNode, lookAtProcessor } from "./node.js";
import { lookAtRegistries } from "./registries.js";
import { lookAtShims } from "./shims.js";

/** In the order in which they are told. */
export const LOOKS: Readonly<Record<string, Look>> = {
	node: lookAtNode,
	cpu: lookAtProcessor,
	memory: lookAtMemory,
	files: lookAtDescriptors,
	clock: lookAtClock,
	data: lookAtFolders,
	leftovers: lookAtLeftovers,
	http: lookAtDoor,
	engine: lookAtEngines,
	docker: lookAtDocker,
	shim: lookAtShims,
	image: lookAtImages,
	broker: lookAtBrokers,
	registry: lookAtRegistries,
};

/** All looks at once; one that does not end in time or breaks is a finding and harms no other. */
export async function examine(
	around: Around,
	looks: Readonly<Record<string, Look>> = LOOKS,
): Promise<Finding[]> {
	const found = await Promise.all(
		Object.entries(looks).map(([name, look]) => inTime(name, look, around)),
	);
	return found.flat();
}

async function inTime(
	name: string,
	look: Look,
	around: Around,
): Promise<Finding[]> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<Finding[]>((resolve) => {
		const what = `could not be looked at in ${around.deadline / 1000} s`;
		timer = setTimeout(
			() => resolve([warn(name, what, "wasieve doctor --timeout 60s")]),
			around.deadline,
		);
	});
	const looked = look(around).catch((thrown) => [failure(name, thrown)]);
	const found = await Promise.race([looked, late]);
	clearTimeout(timer);
	return found;
}
