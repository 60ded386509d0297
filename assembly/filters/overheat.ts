import { Reading, alert, param, run } from "wasieve/assembly";
const limit = param("LIMIT", 85.0);
run((r: Reading): void => {
  if (r.f64("temperature") > limit) alert(r, "high_temperature", "temperature");
  if (r.f64("humidity") > 95.0) alert(r, "high_humidity", "humidity");
});
