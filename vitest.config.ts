import { defineConfig } from "vitest/config";

/**
 * ms. Longer than anything takes on a machine that is five times as busy as it should be: a deadline here finds what
 * hangs, and says nothing about speed.
 */
const HANGS = 120_000;

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		exclude: ["test/long/**"],
		setupFiles: ["test/seed.ts"],
		pool: "forks",
		testTimeout: HANGS,
		hookTimeout: HANGS,
		expect: { poll: { timeout: HANGS } },
	},
});
