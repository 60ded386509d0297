import type { Flaw } from "./runtime.js";

const version = /runc (?:version )?(\d+\.\d+\.\d+)/;

/**
 * What is known of runc, which docker and podman run Linux images with. Distributions mend these in
 * older versions as well, which the number does not show.
 */
export const RUNC: readonly Flaw[] = [
	{
		id: "CVE-2024-21626",
		what: "an image can break out of its container (mended in runc 1.1.12)",
		affects: [["1.0.0", "1.1.12"]],
		version,
	},
	...["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"].map((id) => ({
		id,
		what: "an image can break out of its container (mended in runc 1.2.8 and 1.3.3)",
		affects: [
			["0", "1.2.8"],
			["1.3.0", "1.3.3"],
		] as const,
		version,
	})),
];
