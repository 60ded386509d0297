/**
 * rename: makes an object of some of a reading's fields under other names. The values are
 * copied as they were sent; one that a reading lacks, or that is null, is left out.
 *
 * Parameters: MAP, pairs "new=path" with commas between them; a path may lead into objects and
 * arrays ("motor.temp", "axes[2]").
 *
 * param: MAP=device=device_id,t=motor.temp,z=axes[2]
 * in:  {"device_id":"m-1","motor":{"temp":61.0},"axes":[1,2,3.50],"noise":true}
 * out: {"device":"m-1","t":61.0,"z":3.50}
 * in:  {"device_id":"m-2"}
 * out: {"device":"m-2"}
 * in:  {"other":1}
 * drop: none of the fields
 */
import { Reading, drop, emit, param, run } from "wasieve/assembly";

const names = new Array<string>();
const paths = new Array<string>();

const pairs = param("MAP", "device_id=device_id").split(",");
for (let i = 0; i < pairs.length; i++) {
  const equals = pairs[i].indexOf("=");
  if (equals <= 0) continue;
  names.push(pairs[i].substring(0, equals));
  paths.push(pairs[i].substring(equals + 1));
}

/** The first of the fields from i on that the reading has. */
function next(r: Reading, i: i32): i32 {
  while (i < paths.length && !r.has(paths[i])) i++;
  return i;
}

run((r: Reading): void => {
  let i = next(r, 0);
  if (i == paths.length) {
    drop("none of the fields");
    return;
  }
  const out = emit();
  for (; i < paths.length; i = next(r, i + 1)) out.copy(names[i], r, paths[i]);
  out.end();
});
