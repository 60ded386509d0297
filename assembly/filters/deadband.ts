/**
 * deadband: passes a device's reading on only when its value has moved by more than BAND since
 * the last one that was passed on.
 *
 * Parameters: FIELD, the path of the value (temperature); BAND, in its unit (0.5).
 *
 * in:  {"device_id":"office-1","temperature":20}
 * out: {"device_id":"office-1","temperature":20}
 * in:  {"device_id":"office-1","temperature":20.5}
 * in:  {"device_id":"office-2","temperature":20.5}
 * out: {"device_id":"office-2","temperature":20.5}
 * in:  {"device_id":"office-1","temperature":20.6}
 * out: {"device_id":"office-1","temperature":20.6}
 * in:  {"device_id":"office-1","temperature":20.1}
 * drop: within the band
 */
import { Reading, drop, param, pass, run } from "wasieve/assembly";

const field = param("FIELD", "temperature");
const band = param("BAND", 0.5);

/** The value passed on last, per device. */
const last = new Map<string, f64>();

run((r: Reading): void => {
  const value = r.f64(field);
  const device = r.str("device_id");
  if (isNaN(value) || !device.length) return;
  if (last.has(device) && Math.abs(value - last.get(device)) <= band) {
    drop("within the band");
    return;
  }
  last.set(device, value);
  pass(r);
});
