/**
 * stuffy: tells once when a room's air goes bad, and once when it is good again. In between
 * lies a band in which nothing changes, so that a value on the edge does not chatter.
 *
 * Parameters: HIGH, the co2 in ppm from which air is stuffy (1000); LOW, below which it is
 * fresh again (800).
 *
 * param: HIGH=1200
 * in:  {"device_id":"office-1","co2":1150,"timestamp":1}
 * in:  {"device_id":"office-1","co2":1200.5,"timestamp":2}
 * out: {"device_id":"office-1","alert_type":"stuffy","value":1200.5,"timestamp":2}
 * in:  {"device_id":"office-1","co2":1300,"timestamp":3}
 * in:  {"device_id":"office-2","co2":500,"timestamp":4}
 * in:  {"device_id":"office-1","co2":801,"timestamp":5}
 * in:  {"device_id":"office-1","co2":799,"timestamp":6}
 * out: {"device_id":"office-1","alert_type":"fresh","value":799,"timestamp":6}
 */
import { Reading, alert, drop, param, run } from "wasieve/assembly";

const high = param("HIGH", 1000.0);
const low = param("LOW", 800.0);

/** The rooms whose air is stuffy. */
const stuffy = new Set<string>();

run((r: Reading): void => {
  const device = r.str("device_id");
  const co2 = r.f64("co2");
  if (!device.length) return;
  if (co2 >= high && !stuffy.has(device)) {
    stuffy.add(device);
    alert(r, "stuffy", "co2");
  } else if (co2 < low && stuffy.delete(device)) {
    alert(r, "fresh", "co2");
  } else drop("unchanged");
});
