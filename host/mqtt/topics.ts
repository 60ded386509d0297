/**
 * Topic names and topic filters, MQTT 5 §4.7 (3.1.1 has the same rules).
 * Pure functions; config checks with them before anything connects.
 */

/** MQTT strings are at most 65,535 bytes of UTF-8 [MQTT-1.5.4, 4.7.3]. */
const LONGEST = 65_535;

/** Whether `s` is a topic to publish to: no wildcard, no NUL, not empty [MQTT-4.7.1-1, 4.7.3-1, -2]. */
export function isTopicName(s: string): boolean {
	return isText(s) && !/[+#]/.test(s);
}

/** Whether `s` is a topic filter to subscribe to, `$share/group/filter` included [MQTT-4.7.1-2, -3, 4.8.2-1]. */
export function isTopicFilter(s: string): boolean {
	if (!isText(s)) return false;
	if (s.startsWith("$share/")) return isSharedFilter(s);
	const levels = s.split("/");
	return levels.every((level, i) => isLevel(level, i === levels.length - 1));
}

/** The filter that a subscription really matches with: `$share/group/a/+` is `a/+`. */
export function sharedFilter(filter: string): string {
	if (!filter.startsWith("$share/")) return filter;
	return filter.slice(filter.indexOf("/", 7) + 1);
}

/** Whether a topic filter matches a topic name; a leading `$` is not matched by a wildcard [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, topic: string): boolean {
	const wanted = sharedFilter(filter).split("/");
	const levels = topic.split("/");
	if (isSystem(levels) && isWild(wanted[0])) return false;
	for (let i = 0; i < wanted.length; i++) {
		if (wanted[i] === "#") return true; // also the parent level: "a/#" matches "a"
		if (i >= levels.length) return false;
		if (wanted[i] !== "+" && wanted[i] !== levels[i]) return false;
	}
	return wanted.length === levels.length;
}

/**
 * What the wildcards of `filter` stand for in `topic`, in order: `#` stands for all the
 * levels that it covers, joined by `/`. Undefined when the filter does not match.
 */
export function wildcardMatches(
	filter: string,
	topic: string,
): string[] | undefined {
	if (!topicMatches(filter, topic)) return undefined;
	const levels = topic.split("/");
	const found: string[] = [];
	for (const [i, level] of sharedFilter(filter).split("/").entries()) {
		if (level === "+") found.push(levels[i] as string);
		if (level === "#") found.push(levels.slice(i).join("/"));
	}
	return found;
}

/**
 * Whether some topic can match both. For a loop check the second is an output topic
 * template: `{…}` may stand for any text, levels included, so the answer errs towards yes.
 */
export function filtersOverlap(filter: string, topicTemplate: string): boolean {
	const a = sharedFilter(filter).split("/");
	const b = sharedFilter(topicTemplate).split("/");
	if (isSystem(a) && isWild(b[0])) return false;
	if (isSystem(b) && isWild(a[0])) return false;
	return overlap(a, 0, b, 0);
}

function overlap(a: string[], i: number, b: string[], k: number): boolean {
	if (a[i] === "#" || b[k] === "#") return true;
	if (k === b.length) return i === a.length || rest(a, i);
	if (i === a.length) return rest(b, k);
	const left = a[i] as string;
	const right = b[k] as string;
	if (right.includes("{")) return overlapTemplate(a, i, b, k);
	if (left !== "+" && right !== "+" && left !== right) return false;
	return overlap(a, i + 1, b, k + 1);
}

/** A level with a placeholder covers one level or more of the filter, as far as its fixed text agrees. */
function overlapTemplate(
	a: string[],
	i: number,
	b: string[],
	k: number,
): boolean {
	const level = b[k] as string;
	const head = level.slice(0, level.indexOf("{"));
	const tail = level.slice(level.lastIndexOf("}") + 1);
	for (let end = i + 1; end <= a.length; end++) {
		const last = a[end - 1] as string;
		if (last === "#") return startsAs(a[i] as string, head);
		if (!startsAs(a[i] as string, head)) return false;
		if ((last === "+" || last.endsWith(tail)) && overlap(a, end, b, k + 1))
			return true;
	}
	return false;
}

function startsAs(level: string, head: string): boolean {
	return isWild(level) || level.startsWith(head);
}

/** Whether what is left of a filter also matches nothing more: "a/#" matches "a". */
function rest(levels: string[], from: number): boolean {
	return levels[from] === "#";
}

function isText(s: string): boolean {
	if (s.length === 0 || s.includes("\0")) return false;
	return s.isWellFormed() && Buffer.byteLength(s) <= LONGEST;
}

function isSharedFilter(s: string): boolean {
	const [, group, ...levels] = s.split("/");
	if (group === undefined || group === "" || /[+#]/.test(group)) return false;
	return isTopicFilter(levels.join("/"));
}

function isLevel(level: string, last: boolean): boolean {
	if (level === "+") return true;
	if (level === "#") return last;
	return !/[+#]/.test(level);
}

function isSystem(levels: readonly string[]): boolean {
	return levels[0]?.startsWith("$") ?? false;
}

function isWild(level: string | undefined): boolean {
	return level === "+" || level === "#";
}
