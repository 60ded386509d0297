/**
 * every-minute: the mean of a value per device and minute of the gateway's time. What a minute
 * has gathered goes out when it is over, the last one at the end of the input; the readings
 * themselves are dropped.
 *
 * Parameters: FIELD, the path of the value (temperature).
 *
 * time: 60000
 * in:  {"device_id":"office-1","temperature":20}
 * drop: gathered
 * in:  {"device_id":"office-2","temperature":30}
 * drop: gathered
 * time: 90000
 * in:  {"device_id":"office-1","temperature":21}
 * drop: gathered
 * time: 121000
 * out: {"device_id":"office-1","field":"temperature","mean":20.5,"count":2,"timestamp":120000}
 * out: {"device_id":"office-2","field":"temperature","mean":30,"count":1,"timestamp":120000}
 * in:  {"device_id":"office-1","temperature":-7.25}
 * drop: gathered
 * time: 125000
 * end: the last minute is not full
 * out: {"device_id":"office-1","field":"temperature","mean":-7.25,"count":1,"timestamp":125000}
 */
import { Reading, atEnd, drop, emit, every, now, param, run } from "wasieve/assembly";

const field = param("FIELD", "temperature");

class Mean {
  sum: f64 = 0;
  count: i64 = 0;
}

const means = new Map<string, Mean>();

function flush(): void {
  const devices = means.keys();
  for (let i = 0; i < devices.length; i++) {
    const mean = means.get(devices[i]);
    emit()
      .str("device_id", devices[i])
      .str("field", field)
      .f64("mean", mean.sum / <f64>mean.count)
      .i64("count", mean.count)
      .i64("timestamp", now())
      .end();
  }
  means.clear();
}

every(60000, flush);
atEnd(flush);

run((r: Reading): void => {
  const value = r.f64(field);
  const device = r.str("device_id");
  if (isNaN(value) || !device.length) return;
  if (!means.has(device)) means.set(device, new Mean());
  const mean = means.get(device);
  mean.sum += value;
  mean.count++;
  drop("gathered");
});
