import type { IncomingMessage } from "node:http";
import { WasieveError } from "../errors.js";
import type { CredentialsOf } from "./credentials.js";
import { type Ask, isLoopback, readAll, send, type Wire } from "./http.js";
import { authorize, refused } from "./token.js";

export interface RegistryOptions {
	credentials: CredentialsOf;
	/** PEM of authorities to trust besides the system's own. */
	ca?: string | undefined;
	/** ms without a byte until a connection counts as dead. */
	timeout?: number;
}

const TIMEOUT = 30_000;
const REDIRECTS = 5;
/** Where the images called docker.io/… really are. */
const HUB = "registry-1.docker.io";

/** A request to a path below /v2/, or to the address that an upload was given. */
export type Question = Omit<Ask, "url"> & { path: string | URL };

/**
 * One registry as a partner for requests [OCI distribution-spec]: finds out whether it speaks TLS, answers its
 * challenges, follows its redirects. What blobs and manifests are, others know.
 */
export class Registry {
	readonly #wire: Wire;
	#base: Promise<URL> | undefined;
	#authorization: string | undefined;

	constructor(
		readonly name: string,
		readonly options: RegistryOptions,
	) {
		this.#wire = { ca: options.ca, timeout: options.timeout ?? TIMEOUT };
	}

	/**
	 * The answer's head, whatever its status but 401 and 403.
	 * @throws {WasieveError} E_REGISTRY_CONNECT, E_REGISTRY_TLS, E_REGISTRY_AUTH, E_REGISTRY_ANSWER
	 */
	async ask(question: Question): Promise<IncomingMessage> {
		this.#base ??= this.#findBase();
		const base = await this.#base;
		const url = new URL(question.path, base);
		let answer = await this.#follow({ ...question, url }, base);
		if (answer.statusCode === 401) {
			answer.resume();
			this.#authorization = await authorize(
				answer.headers["www-authenticate"],
				base,
				this.options.credentials(this.name),
				this.#wire,
			);
			answer = await this.#follow({ ...question, url }, base);
		}
		if (answer.statusCode !== 401 && answer.statusCode !== 403) return answer;
		const why = complaint(await readAll(answer));
		throw refused(`the registry ${this.name} refuses ${url.pathname}${why}`);
	}

	/** Where an upload continues: relative to the request or absolute, and never from TLS to plain text. */
	async location(answer: IncomingMessage): Promise<URL> {
		const base = (await this.#base) as URL;
		const { location } = answer.headers;
		if (location === undefined || !URL.canParse(location, base.href))
			throw this.wrongAnswer("it names no place for the upload");
		return this.#safe(new URL(location, base));
	}

	/** An answer that does not fit the specification. */
	wrongAnswer(why: string): WasieveError {
		return new WasieveError(
			"E_REGISTRY_ANSWER",
			`the registry ${this.name}: ${why}`,
			{
				hint: "is this address a registry's, and is the registry well? Its log may say more",
			},
		);
	}

	/** As an error, with what the registry says about it. */
	async unexpected(
		answer: IncomingMessage,
		what: string,
	): Promise<WasieveError> {
		const why = complaint(await readAll(answer));
		return this.wrongAnswer(`status ${answer.statusCode} for ${what}${why}`);
	}

	async #follow(ask: Ask, base: URL): Promise<IncomingMessage> {
		let { url } = ask;
		for (let hops = 0; hops <= REDIRECTS; hops++) {
			const answer = await send(
				this.#signed({ ...ask, url }, base),
				this.#wire,
			);
			const { location } = answer.headers;
			const moves = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0);
			const reads = ask.method === "GET" || ask.method === "HEAD";
			if (!moves || !reads || location === undefined) return answer;
			answer.resume();
			if (!URL.canParse(location, url.href)) break;
			url = this.#safe(new URL(location, url));
		}
		throw this.wrongAnswer("its redirects lead nowhere");
	}

	/** The token is for this registry; storage that it redirects to has its own secrets in the address. */
	#signed(ask: Ask, base: URL): Ask {
		const ours = ask.url.origin === base.origin;
		if (!ours || this.#authorization === undefined) return ask;
		return {
			...ask,
			headers: { ...ask.headers, authorization: this.#authorization },
		};
	}

	#safe(url: URL): URL {
		const local = isLoopback(url.hostname) && isLoopback(this.#hostname());
		if (url.protocol === "https:" || (url.protocol === "http:" && local))
			return url;
		throw this.wrongAnswer("it leads to an address without TLS");
	}

	#hostname(): string {
		return new URL(`https://${this.name}`).hostname;
	}

	/** TLS; on the loopback plain HTTP if TLS is not spoken there. A certificate that is wrong stays wrong. */
	async #findBase(): Promise<URL> {
		const host = this.name === "docker.io" ? HUB : this.name;
		const secure = new URL(`https://${host}/v2/`);
		if (!isLoopback(secure.hostname)) return secure;
		try {
			(await send({ method: "GET", url: secure }, this.#wire)).resume();
			return secure;
		} catch (thrown) {
			if (!speaksNoTls(thrown)) throw thrown;
			return new URL(`http://${host}/v2/`);
		}
	}
}

function speaksNoTls(thrown: unknown): boolean {
	const { code } = ((thrown as Error).cause ?? {}) as NodeJS.ErrnoException;
	return (
		code === "EPROTO" ||
		code === "ECONNRESET" ||
		code === "ERR_SSL_WRONG_VERSION_NUMBER" ||
		code === "ERR_SSL_PACKET_LENGTH_TOO_LONG"
	);
}

/** The registry's first error, made fit for a terminal: {"errors": [{"code", "message"}]}. */
function complaint(body: Buffer): string {
	try {
		const [{ code, message }] = JSON.parse(body.toString()).errors;
		const said = `${code}: ${message}`.replace(/[^\x20-\x7e]/g, "?");
		return ` (${said.slice(0, 200)})`;
	} catch {
		return "";
	}
}
