import type { ErrorObject } from "ajv";

/** Made from SCHEMA by ajv when the host is built (host/schema-check.mjs). */
declare const validate: {
	(data: unknown): boolean;
	/** What the last call found. */
	errors?: ErrorObject[] | null;
};

export { validate };
