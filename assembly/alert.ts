// The one output that nearly every filter has.
import { attribute } from "./control";
import { ascii, bytes } from "./output";
import { find, skip } from "./path";
import { quoted } from "./quoted";
import { Reading } from "./reading";

/**
 * Writes {"device_id":…,"alert_type":type,"value":…,"timestamp":…}. The values are copied byte
 * for byte from the reading; one that it lacks is null.
 */
// @ts-ignore: decorator
@inline
export function alert(reading: Reading, type: string, field: string): void {
  write(changetype<usize>(type), changetype<usize>(field));
}

function write(type: usize, field: usize): void {
  attribute();
  ascii('{"device_id":');
  copy(changetype<usize>("device_id"));
  ascii(',"alert_type":');
  quoted(type);
  ascii(',"value":');
  copy(field);
  ascii(',"timestamp":');
  copy(changetype<usize>("timestamp"));
  ascii("}\n");
}

function copy(path: usize): void {
  const value = find(path);
  if (value) bytes(value, skip(value) - value);
  else ascii("null");
}
