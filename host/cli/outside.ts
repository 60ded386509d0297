import { accessSync, constants, statSync } from "node:fs";
import type { Meet, Named } from "../config/index.js";
import type { EngineConfig } from "../config/types.js";
import {
	checkEngineSync,
	findEngine,
	type Workshop,
} from "../engine/preflight.js";
import { WasieveError } from "../errors.js";
import {
	parseRegistryReference,
	type RegistryReference,
} from "../pack/reference.js";
import { ImageStore } from "../pack/store.js";
import { refuseUnwritable, writableFolder } from "../store/folder.js";
import type { Io } from "./io.js";
import { once } from "./once.js";
import { runtimeOf, workshopOf } from "./workshop.js";

/**
 * Looks at what a config names as far as that goes without a connection and without making anything: engines say their
 * version, images are looked for on this machine, files and folders have to be fit for what is done with them.
 */
export function offline(env: Io["env"]): Meet {
	const workshop = workshopOf(env);
	return once(
		(named) => JSON.stringify(named),
		(named) => look(named, workshop),
	);
}

function look(named: Named, workshop: Workshop): WasieveError | undefined {
	switch (named.kind) {
		case "engine":
			return lookAtEngine(named.engine, workshop);
		case "image":
			return lookAtImage(named.image, named.dir);
		case "source":
			refuseUnreadable(named.file);
			return undefined;
		case "sink":
			refuseUnwritable(named.file);
			return undefined;
		case "folder":
			writableFolder(named.dir);
			return undefined;
	}
}

/** A container's engine would have to ask its daemon: that it is there has to do. */
function lookAtEngine(
	engine: EngineConfig,
	workshop: Workshop,
): WasieveError | undefined {
	const runtime = runtimeOf(engine);
	if (runtime.container) {
		findEngine(runtime, workshop);
		return undefined;
	}
	const { version, flaws } = checkEngineSync(runtime, workshop);
	if (flaws.length === 0) return undefined;
	const known = flaws.map(({ id, what }) => `${what} (${id})`).join("; ");
	return new WasieveError(
		"E_ENGINE_VERSION",
		`${runtime.name} ${version} works, and is known for this: ${known}`,
		{ hint: "install a newer version" },
	);
}

function lookAtImage(image: string, dir: string): WasieveError | undefined {
	const reference = referenceOf(image);
	if (reference === undefined) return undefined;
	if (new ImageStore(dir).find(reference) !== undefined) return undefined;
	return new WasieveError(
		"E_IMAGE_MISSING",
		`the image is not in ${dir} yet: the gateway pulls it when it starts`,
		{ hint: `wasieve pull ${image} --store ${dir} pulls it now` },
	);
}

/** Undefined for what is none: who looks into modules has told that. */
function referenceOf(image: string): RegistryReference | undefined {
	try {
		return parseRegistryReference(image);
	} catch {
		return undefined;
	}
}

function refuseUnreadable(file: string): void {
	try {
		if (statSync(file).isDirectory())
			throw Object.assign(new Error("a folder"), { code: "EISDIR" });
		accessSync(file, constants.R_OK);
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		throw new WasieveError(
			"E_FILE_READ",
			`the file ${file} cannot be read (${code})`,
			{
				cause,
				hint: "name a file that the gateway may read; paths are relative to the config file",
			},
		);
	}
}
