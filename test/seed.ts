import { randomInt } from "node:crypto";
import fc from "fast-check";

/**
 * Properties are tried on the same values in every run, so that a change is refused for what it changed.
 * WASIEVE_TEST_SEED=random looks further (CONTRIBUTING.md); a number tries again what such a run found.
 */
const { WASIEVE_TEST_SEED: wanted = "1" } = process.env;
const seed = wanted === "random" ? randomInt(2 ** 31) : Number(wanted);

fc.configureGlobal({ seed });
