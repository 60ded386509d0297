// Charts as inline SVG, drawn with the page's own colours: lines over runs, dots of size and speed.

/** Width of every chart, in the units of its viewBox. */
const WIDTH = 760;

/** @param {string} text */
export function escaped(text) {
	return text
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;")
		.replaceAll('"', "&quot;");
}

/**
 * @param {number} value
 * @returns {string} three digits that matter, thousands as k, M, G
 */
export function short(value) {
	const size = Math.abs(value);
	for (const [scale, letter] of /** @type {const} */ ([
		[1e9, "G"],
		[1e6, "M"],
		[1e3, "k"],
	]))
		if (size >= scale) return `${trim(value / scale)} ${letter}`;
	return trim(value);
}

/** @param {number} value */
function trim(value) {
	return String(Number(value.toPrecision(3)));
}

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {number} series
 * @property {{ median: number, low: number, high: number, name: string, alert?: boolean }[]} points from old to new
 */

/**
 * @param {string} title
 * @param {readonly Line[]} lines
 * @param {string} unit
 * @returns {string} medians as lines, intervals as bands, alerts as rings
 */
export function lineChart(title, lines, unit) {
	const height = 190;
	const frame = { left: 96, right: WIDTH - 16, top: 20, bottom: height - 26 };
	const all = lines.flatMap(({ points }) => points);
	const ticks = ticksOf(
		Math.min(...all.map(({ low }) => low)),
		Math.max(...all.map(({ high }) => high)),
	);
	const [least = 0, most = 1] = [ticks[0], ticks.at(-1)];
	const longest = Math.max(...lines.map(({ points }) => points.length));
	const x = (/** @type {number} */ i) =>
		frame.left + ((frame.right - frame.left) * i) / Math.max(1, longest - 1);
	const y = (/** @type {number} */ value) =>
		frame.bottom -
		((value - least) / (most - least)) * (frame.bottom - frame.top);
	const drawn = lines.map(({ label, series, points }) => {
		// Runs end together at the right: the newest of every line is the newest.
		const from = longest - points.length;
		const spot = (/** @type {number} */ i, /** @type {number} */ value) =>
			`${x(from + i).toFixed(1)} ${y(value).toFixed(1)}`;
		const there = points.map(({ high }, i) => spot(i, high));
		const back = points.map(({ low }, i) => spot(i, low)).reverse();
		const middle = points.map(({ median }, i) => spot(i, median));
		const dots = points.map(({ median, name, alert }, i) => {
			const said = `${label}, ${name}: ${short(median)} ${unit}${alert ? " (alert)" : ""}`;
			const place = `cx="${x(from + i).toFixed(1)}" cy="${y(median).toFixed(1)}"`;
			const ring = alert ? `<circle class="alert" ${place} r="7"/>` : "";
			return `<g><title>${escaped(said)}</title><circle class="dot s${series}" ${place} r="3.5"/>${ring}</g>`;
		});
		return `<path class="band s${series}" d="M${[...there, ...back].join("L")}Z"/><path class="line s${series}" d="M${middle.join("L")}"/>${dots.join("")}`;
	});
	const first = all[0]?.name ?? "";
	const last = lines[0]?.points.at(-1)?.name ?? "";
	const names = `<text class="axis" x="${frame.left}" y="${height - 8}">${escaped(first)}</text><text class="axis" x="${frame.right}" y="${height - 8}" text-anchor="end">${escaped(last)}</text>`;
	return svg(
		title,
		height,
		grid(frame, ticks, y) + drawn.join("") + names,
		"lines",
	);
}

/**
 * @typedef {object} Dot
 * @property {string} name what it is, for who points at it
 * @property {string} label beside it; none where another dot's says it
 * @property {number} series
 * @property {number} x
 * @property {number} y
 */

/**
 * @param {string} title
 * @param {readonly Dot[]} dots
 * @param {{ x: string, y: string }} axes
 * @returns {string}
 */
export function dotChart(title, dots, axes) {
	const height = 300;
	const frame = { left: 64, right: WIDTH - 130, top: 20, bottom: height - 44 };
	const across = ticksOf(0, Math.max(...dots.map(({ x }) => x)));
	const upward = ticksOf(0, Math.max(...dots.map(({ y }) => y)));
	const [right = 1, top = 1] = [across.at(-1), upward.at(-1)];
	const x = (/** @type {number} */ value) =>
		frame.left + (value / right) * (frame.right - frame.left);
	const y = (/** @type {number} */ value) =>
		frame.bottom - (value / top) * (frame.bottom - frame.top);
	const ticks = across.slice(1).map((value) => {
		return `<path class="rule" d="M${x(value).toFixed(1)} ${frame.top}V${frame.bottom}"/><text class="axis" x="${x(value).toFixed(1)}" y="${frame.bottom + 16}" text-anchor="middle">${short(value)}</text>`;
	});
	const spots = placed(
		dots.map((dot) => ({ ...dot, x: x(dot.x), y: y(dot.y) })),
		frame,
	);
	const drawn = spots.map(({ dot, line, side }, i) => {
		const { name, label, series } = dot;
		const [size, speed] = [dots[i]?.x ?? 0, dots[i]?.y ?? 0];
		const said = `${name}: ${short(size)} ${axes.x}, ${short(speed)} ${axes.y}`;
		const across = (/** @type {number} */ far) =>
			(dot.x + side * far).toFixed(1);
		const anchor = side < 0 ? ' text-anchor="end"' : "";
		const beside = label
			? `<path class="leader" d="M${across(6)} ${dot.y.toFixed(1)}L${across(14)} ${(line - 4).toFixed(1)}"/><text class="value" x="${across(17)}" y="${line.toFixed(1)}"${anchor}>${escaped(label)}</text>`
			: "";
		return `<g><title>${escaped(said)}</title><circle class="dot s${series}" cx="${dot.x.toFixed(1)}" cy="${dot.y.toFixed(1)}" r="5"/>${beside}</g>`;
	});
	const names = `<text class="axis" x="${frame.right}" y="${height - 8}" text-anchor="end">${escaped(axes.x)} →</text><text class="axis" x="${frame.left}" y="${frame.top - 8}">↑ ${escaped(axes.y)}</text>`;
	return svg(
		title,
		height,
		grid(frame, upward, y) + ticks.join("") + drawn.join("") + names,
		"dots",
	);
}

/** Of a label: its height, and the width of a letter. */
const LINE = 14;
const LETTER = 6.8;

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */

/**
 * A label lies right or left of its dot, or up or down from there, at the nearest place where neither it nor the line
 * that leads to it meets another dot, label or line.
 *
 * @template {{ label: string, x: number, y: number }} D
 * @param {readonly D[]} dots where they are drawn
 * @param {{ left: number, top: number, bottom: number }} frame
 * @returns {{ dot: D, line: number, side: 1 | -1 }[]} `line`: the label's base line; `side`: 1 is right of the dot
 */
function placed(dots, { left, top, bottom }) {
	/** @type {Box[]} */
	const taken = [];
	return dots.map((dot) => {
		if (!dot.label) return { dot, line: 0, side: 1 };
		const others = dots.filter((other) => other !== dot);
		const full = [...others.map((other) => around(other, 6)), ...taken];
		const places = Array.from({ length: 120 }, (_, k) => {
			const far = Math.ceil((k >> 1) / 2) * 4;
			const line = dot.y + 4 + ((k >> 1) % 2 ? -far : far);
			const side = /** @type {1 | -1} */ (k % 2 ? -1 : 1);
			return { dot, line, side, parts: partsOf(dot, line, side) };
		});
		const free = places.find(({ parts }) =>
			parts.every(
				(part) =>
					Math.min(part.left - left, part.top - top, bottom - part.bottom) >
						0 &&
					part.right < WIDTH &&
					!full.some((box) => overlap(part, box)),
			),
		);
		const found = free ?? /** @type {typeof places[number]} */ (places[0]);
		taken.push(...found.parts);
		return found;
	});
}

/**
 * @param {{ label: string, x: number, y: number }} dot
 * @param {number} line
 * @param {1 | -1} side
 * @returns {Box[]} what the label and its leader cover
 */
function partsOf({ label, x, y }, line, side) {
	const ends = [x + side * 17, x + side * (17 + label.length * LETTER)];
	const leader = [0.2, 0.4, 0.6, 0.8, 1].map((share) => {
		const at = { x: x + side * (6 + 8 * share), y: y + share * (line - 4 - y) };
		return around(at, 1);
	});
	const [left, right] = [Math.min(...ends), Math.max(...ends)];
	return [{ left, right, top: line - LINE + 3, bottom: line + 3 }, ...leader];
}

/** @type {(at: { x: number, y: number }, far: number) => Box} */
function around({ x, y }, far) {
	return { left: x - far, right: x + far, top: y - far, bottom: y + far };
}

/** @type {(a: Box, b: Box) => boolean} */
function overlap(a, b) {
	return (
		a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
	);
}

/**
 * @param {number} least
 * @param {number} most
 * @returns {number[]} four to nine round numbers, the first not above `least`, the last not below `most`
 */
function ticksOf(least, most) {
	const span = most - least || Math.abs(most) || 1;
	const power = 10 ** Math.floor(Math.log10(span / 4));
	const step =
		[10, 5, 2.5, 2, 1].map((k) => k * power).find((k) => span / k >= 3) ??
		power;
	const first = Math.max(0, Math.floor(least / step));
	const last = Math.max(first + 1, Math.ceil(most / step));
	return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/**
 * @param {{ left: number, right: number }} frame
 * @param {readonly number[]} ticks
 * @param {(value: number) => number} y
 */
function grid({ left, right }, ticks, y) {
	return ticks
		.map((value) => {
			const at = y(value).toFixed(1);
			return `<path class="rule" d="M${left} ${at}H${right}"/><text class="axis" x="${left - 8}" y="${Number(at) + 4}" text-anchor="end">${short(value)}</text>`;
		})
		.join("");
}

/**
 * @param {string} title
 * @param {number} height
 * @param {string} content
 * @param {string} kind
 */
function svg(title, height, content, kind) {
	return `<svg class="chart ${kind}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}" xmlns="http://www.w3.org/2000/svg">${content}</svg>`;
}
