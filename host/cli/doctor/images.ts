import { wordsOf } from "./daemon.js";
import { type Around, type Finding, fail, ok, warn } from "./finding.js";
import { containersOf } from "./needs.js";

/** The platforms of an image on this machine, as os/architecture; none when it is not here; why nobody can say. */
type Platforms = (image: string, around: Around) => Promise<string[] | string>;

/** What a way to run images has, and how an image comes to be there. */
interface Way {
	readonly platforms: Platforms;
	readonly fits: RegExp;
	/** What does not fit, in a sentence. */
	readonly only: string;
	/** What to do for a Wasm image, and for a Linux one. */
	readonly mend: readonly [wasm: string, linux: string];
	readonly get: (image: string) => string;
}

/**
 * Platform strings match to the letter: Docker calls it wasi/wasm, the tools of runwasi wasip1/wasm, and neither takes
 * the other's word.
 */
const WAYS: Readonly<Record<string, Way>> = {
	docker: linuxWay("docker"),
	podman: linuxWay("podman"),
	"docker-wasm": {
		platforms: inspected("docker"),
		fits: /^wasi\/wasm$/,
		only: "docker-wasm runs wasi/wasm",
		mend: [
			"wasieve pack MODULE --platform wasi/wasm",
			"wasieve pack MODULE -t NAME:TAG, or engine: { docker: … }",
		],
		get: (image) => `docker pull --platform wasi/wasm ${image}, or docker load`,
	},
	ctr: {
		platforms: listed,
		fits: /^wasi(p1)?\/wasm$/,
		only: "the shim runs wasi/wasm and wasip1/wasm",
		mend: ["", "wasieve pack MODULE -t NAME:TAG"],
		get: () => "ctr image import --local --platform wasi/wasm IMAGE.tar",
	},
};

function linuxWay(program: string): Way {
	return {
		platforms: inspected(program),
		fits: /^linux\//,
		only: `${program} runs Linux images`,
		mend: ["wasieve pack --standalone, or engine: { docker-wasm: … }", ""],
		get: (image) => `${program} pull ${image}, or ${program} load`,
	};
}

const MISSING = /no such image|not known|not found: |unable to find/i;

function inspected(program: string): Platforms {
	const format = ["--format", "{{.Os}}/{{.Architecture}}"];
	return async (image, { run }) => {
		const asked = ["image", "inspect", ...format, image];
		const said = await run(program, ...asked);
		if (said.code === 0) return [said.out.trim()];
		return MISSING.test(said.err) ? [] : wordsOf(said);
	};
}

/** REF TYPE DIGEST SIZE UNIT PLATFORMS LABELS, the platforms with commas. */
async function listed(
	image: string,
	{ run }: Around,
): Promise<string[] | string> {
	const said = await run("ctr", "images", "ls", `name==${image}`);
	if (said.code !== 0) return wordsOf(said);
	const [, row = ""] = said.out.split("\n");
	return row.split(/\s+/)[5]?.split(",") ?? [];
}

/** How Go, and with it every image, calls this processor. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
	x64: "amd64",
	arm64: "arm64",
	arm: "arm",
};

/** The images that pipelines run containers of; one without a name is made of the module, for what runs it. */
export async function lookAtImages(around: Around): Promise<Finding[]> {
	const images = containersOf(around.config).flatMap(({ container, image }) =>
		image === undefined ? [] : [{ container, image }],
	);
	return Promise.all(
		images.map(({ container, image }) =>
			lookAtImage(image, WAYS[container] as Way, around),
		),
	);
}

async function lookAtImage(
	image: string,
	{ platforms, fits, only, mend, get }: Way,
	around: Around,
): Promise<Finding> {
	const found = await platforms(image, around);
	if (typeof found === "string")
		return fail("image", `whether ${image} is here cannot be seen: ${found}`);
	const names = found.join(", ");
	if (found.length === 0)
		return fail("image", `${image} is not on this machine`, get(image));
	const fitting = found.filter((each) => fits.test(each));
	if (fitting.length === 0) {
		const [wasm, linux] = mend;
		const what = `${image} is for ${names}; ${only}`;
		return fail("image", what, names.includes("/wasm") ? wasm : linux);
	}
	const own = ARCHITECTURES[around.machine.arch];
	const here = fitting.some((each) =>
		["wasm", own].includes(each.split("/")[1]),
	);
	if (here || own === undefined) return ok("image", `${image} is for ${names}`);
	const what = `${image} is for ${names}, and this is ${own}`;
	return warn("image", what, `pull or build it for linux/${own}`);
}
