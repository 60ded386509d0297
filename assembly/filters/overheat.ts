/**
 * overheat: an alert for every reading that is too hot or too humid.
 *
 * Parameters: LIMIT, the highest temperature that is not an alert (85).
 *
 * in:  {"device_id":"press-1","temperature":85,"humidity":40,"timestamp":1}
 * in:  {"device_id":"press-1","temperature":91.50,"humidity":96,"timestamp":"2026-01-01"}
 * out: {"device_id":"press-1","alert_type":"high_temperature","value":91.50,"timestamp":"2026-01-01"}
 * out: {"device_id":"press-1","alert_type":"high_humidity","value":96,"timestamp":"2026-01-01"}
 *
 * A mistyped field does not hide an alert that is still right:
 * in:  {"device_id":"press-2","temperature":"91","humidity":97.5,"timestamp":3}
 * out: {"device_id":"press-2","alert_type":"high_humidity","value":97.5,"timestamp":3}
 * reject: temperature: expected a number, found a string at byte 37
 */
import { Reading, alert, param, run } from "wasieve/assembly";

const limit = param("LIMIT", 85.0);

run((r: Reading): void => {
  if (r.f64("temperature") > limit) alert(r, "high_temperature", "temperature");
  if (r.f64("humidity") > 95.0) alert(r, "high_humidity", "humidity");
});
