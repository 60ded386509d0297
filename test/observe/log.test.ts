import { expect, test } from "vitest";
import { createLog } from "#host/observe/log.js";

function logged(
	level: "debug" | "info" | "silent",
	write: (log: ReturnType<typeof createLog>) => void,
) {
	const lines: string[] = [];
	write(createLog({ level, to: { write: (line) => lines.push(line) } }));
	return lines;
}

test("one JSON object a line: level, time, fields, message", () => {
	const [line] = logged("info", (log) =>
		log.warn({ pipeline: "a", code: "E_GUEST_TRAP" }, "trapped"),
	);
	expect(line?.endsWith("}\n")).toBe(true);
	const { time, ...rest } = JSON.parse(line ?? "");
	expect(rest).toEqual({
		level: "warn",
		pipeline: "a",
		code: "E_GUEST_TRAP",
		msg: "trapped",
	});
	expect(new Date(time).toISOString()).toBe(time);
});

test("levels", () => {
	const all = (log: ReturnType<typeof createLog>) => {
		log.debug({}, "d");
		log.info({}, "i");
		log.error({}, "e");
	};
	expect(logged("debug", all)).toHaveLength(3);
	expect(logged("info", all)).toHaveLength(2);
	expect(logged("silent", all)).toHaveLength(0);
});

test("no secrets, wherever they come from", () => {
	const lines = logged("info", (log) => {
		log.info(
			{
				password: "hunter2",
				broker: { password: "hunter2", tls: { password: "hunter2", key: 1 } },
			},
			"x",
		);
		log.error(
			{ url: "mqtt://me:hunter2@broker:1883/" },
			"no mqtts://me:hunter2@broker",
		);
	});
	expect(lines.join("")).not.toContain("hunter2");
	expect(lines[1]).toContain("mqtt://***@broker:1883/");
});
