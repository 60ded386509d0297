import { EMBEDDED, type GatewayConfig } from "../../config/types.js";
import { type Around, type Finding, fail, ok, warn } from "./finding.js";

/** What Node itself has open. */
const OWN = 40;
/** stdin, stdout and stderr of an engine that is a process. */
const PIPES = 3;
/** How many clients may come at once: a scraper, an operator. */
const CLIENTS = 8;
const FEW = 1024;

/** How many files and sockets may be open at once, and how many the config needs. */
export async function lookAtDescriptors({
	read,
	config,
}: Around): Promise<Finding[]> {
	// Node raises its own limit as far as it may: what it has is what the gateway will have.
	const [, limit] =
		/^Max open files\s+(\d+)/m.exec(read("/proc/self/limits") ?? "") ?? [];
	if (limit === undefined) return [];
	const most = Number(limit);
	const needed = config === undefined ? 0 : neededBy(config);
	const what = `${most} may be open${config ? `, ${needed} are needed` : ""}`;
	const more = `ulimit -n ${Math.max(2 * needed, 65_536)}, or LimitNOFILE= in the unit`;
	if (most < needed) return [fail("files", what, more)];
	if (most < Math.max(FEW, needed * 1.25)) return [warn("files", what, more)];
	return [ok("files", what)];
}

/** At most: pipelines with the same source may share its connection. */
function neededBy({ pipelines, threads }: GatewayConfig): number {
	const all = Object.values(pipelines);
	const sinks = new Set(
		all.flatMap(({ to }) => (to.kind === "mqtt" ? [to.broker] : [])),
	);
	const each = all.map(({ filters, to }) => {
		const processes = filters.filter(({ engine }) => engine !== EMBEDDED);
		const quarantine = 1;
		const source = 1;
		const sink = to.kind === "file" ? 1 : 0;
		return source + sink + quarantine + PIPES * processes.length;
	});
	const pipes = each.reduce((sum, count) => sum + count, 0);
	return OWN + CLIENTS + pipes + sinks.size * threads;
}
