import { defineConfig } from "vitest/config";

/** What takes too long for every run: npx vitest run --config test/long/vitest.config.ts */
export default defineConfig({
	test: {
		include: ["test/long/**/*.test.ts"],
		pool: "forks",
		fileParallelism: false,
		testTimeout: 600_000,
	},
});
