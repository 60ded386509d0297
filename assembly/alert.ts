// The one output that nearly every filter has.
import { attribute } from "./control";
import { bytes } from "./output";
import { endOf, find, valueOf } from "./path";
import { Reading } from "./reading";
import { piece, put, QUOTED, say } from "./text";
import { alertPieces, DEVICE_ID, NULL, TIMESTAMP } from "./words";

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
  copyAt(DEVICE_ID);
  p = piece(p);
  put(type, QUOTED);
  p = piece(p);
  copyAt(field);
  p = piece(p);
  copyAt(TIMESTAMP);
  piece(p);
}

/** Copies the value at `path` as it was sent. */
export function copyAt(path: usize): void {
  const entry = find(path);
  if (entry) bytes(valueOf(entry), endOf(entry) - valueOf(entry));
  else say(NULL);
}
