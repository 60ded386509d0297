// The micro suites, each in a process of its own so that none meets another's compiled code.
import { readdirSync } from "node:fs";
import { end, launchProgram, told, whileAlive } from "../children.mjs";
import { figure } from "../table.mjs";

const FOLDER = new URL("../micro/", import.meta.url);

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function micro(plan) {
	const sections = [];
	for (const file of readdirSync(FOLDER).sort()) {
		if (!file.endsWith(".mjs")) continue;
		plan.say(`micro, ${file}`);
		sections.push(await suiteOf(new URL(file, FOLDER), plan));
	}
	return sections;
}

/**
 * @param {URL} program
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section>}
 */
async function suiteOf(program, { quick }) {
	const child = launchProgram(program, quick ? ["--quick"] : []);
	try {
		const said = told(child, "suite");
		const name = program.pathname.split("/").pop() ?? "";
		const suite = await whileAlive(said, [child], 120_000, name);
		return sectionOf(suite);
	} finally {
		await end(child);
	}
}

/** @param {import("../suite.mjs").Suite} suite */
function sectionOf({ title, note, per, cases, aims }) {
	const [first] = cases;
	return {
		title,
		...(note ? { note } : {}),
		columns: ["", `ns/${per}`, "± %", first ? `× ${first.name}` : ""],
		rows: cases.map(({ name, ns, margin, samples }) => [
			name,
			{ ...figure([ns], ns < 100 ? 1 : 0), samples },
			margin.toFixed(1),
			figure([(first?.ns ?? Number.NaN) / ns]),
		]),
		aims: aims.map(({ text, aim, value, met }) => ({
			text,
			aim,
			values: [value],
			met: () => met,
		})),
	};
}
