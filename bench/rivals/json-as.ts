/**
 * The rival: overheat as one writes it with json-as, a class per message. Reads what pump() finds on stdin, a reading
 * a line, and writes its alerts with one call. Compiled when the benchmark runs, with json-as's own transform.
 */

import {
	fd_read,
	fd_write,
} from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";
import { JSON } from "json-as";

@json
class Reading {
	device_id: string = "";
	temperature: f64 = 0;
	humidity: f64 = 0;
	timestamp: i64 = 0;
}

@json
class Alert {
	device_id: string = "";
	alert_type: string = "";
	value: f64 = 0;
	timestamp: i64 = 0;
}

const CAPACITY: i32 = 65536;
const LF: u8 = 10;
/** A control record: the gateway's hello. */
const RS: u8 = 0x1e;

const input = new StaticArray<u8>(CAPACITY);
const output = new StaticArray<u8>(4 * CAPACITY);
const vector = new StaticArray<usize>(2);
const count = new StaticArray<usize>(1);
let held: i32 = 0;
let used: i32 = 0;

export function pump(): void {
	const at = changetype<usize>(input);
	for (;;) {
		vector[0] = at + held;
		vector[1] = CAPACITY - held;
		if (
			fd_read(0, changetype<usize>(vector), 1, changetype<usize>(count)) != 0 ||
			count[0] == 0
		)
			break;
		held += <i32>count[0];
		takeLines(at);
		flush();
	}
}

function takeLines(at: usize): void {
	let from = 0;
	for (let i = 0; i < held; i++) {
		if (load<u8>(at + i) != LF) continue;
		if (load<u8>(at + from) != RS)
			take(String.UTF8.decodeUnsafe(at + from, i - from));
		from = i + 1;
	}
	held -= from;
	memory.copy(at, at + from, held);
}

function take(line: string): void {
	const reading = JSON.parse<Reading>(line);
	if (reading.temperature > 85)
		alert(reading, "high_temperature", reading.temperature);
	if (reading.humidity > 95) alert(reading, "high_humidity", reading.humidity);
}

function alert(reading: Reading, kind: string, value: f64): void {
	const body = new Alert();
	body.device_id = reading.device_id;
	body.alert_type = kind;
	body.value = value;
	body.timestamp = reading.timestamp;
	const text = JSON.stringify(body);
	const at = changetype<usize>(output) + used;
	used += <i32>(
		String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at)
	);
	store<u8>(changetype<usize>(output) + used++, LF);
}

function flush(): void {
	if (used == 0) return;
	vector[0] = changetype<usize>(output);
	vector[1] = used;
	fd_write(1, changetype<usize>(vector), 1, changetype<usize>(count));
	used = 0;
}

export function rival_abort(
	message: string | null,
	file: string | null,
	line: u32,
	column: u32,
): void {
	unreachable();
}

pump();
