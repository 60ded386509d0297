// The one output that nearly every filter has.
import { attribute } from "./control";
import { bytes } from "./output";
import { endOf, find, valueOf } from "./path";
import { Reading } from "./reading";
import { piece, put, QUOTED } from "./text";
import { alertPieces, NULL, say } from "./words";

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
  let p = piece(alertPieces);
  copy("device_id");
  p = piece(p);
  put(type, QUOTED);
  p = piece(p);
  copyAt(field);
  p = piece(p);
  copy("timestamp");
  piece(p);
}

// @ts-ignore: decorator
@inline
function copy(path: string): void {
  copyAt(changetype<usize>(path));
}

/** Copies the value at `path` as it was sent. */
export function copyAt(path: usize): void {
  const entry = find(path);
  if (entry) bytes(valueOf(entry), endOf(entry) - valueOf(entry));
  else say(NULL);
}
