// Settings from the environment of the module (`docker run -e LIMIT=90`).
import { decimal } from "./decimal";
import { inputBuffer, inputSize } from "./input";
import { LF, rootAt, scan } from "./scan";
import { size } from "./text";
import { environ_get, environ_sizes_get } from "./wasi";

/** The parameter `name`, typed by its default. */
export function param<T>(name: string, fallback: T): T {
  const at = environment(changetype<usize>(name));
  if (!at) return fallback;
  if (isFloat<T>()) {
    return scan(at) ? <T>decimal(rootAt) : fallback;
  }
  return fallback;
}

/** The value of an environment variable as a line, 0 when it is not set. */
function environment(name: usize): usize {
  const sizes = inputBuffer();
  if (environ_sizes_get(sizes, sizes + 4)) return 0;
  const count: usize = load<u32>(sizes);
  const bytes: usize = load<u32>(sizes, 4);
  if (bytes + (count << 2) + 8 > inputSize()) return 0;
  environ_get(sizes, sizes + (count << 2));
  const end = sizes + (count << 2);
  for (let p = sizes; p < end; p += 4) {
    let q: usize = load<u32>(p);
    let n = name;
    const stop = name + size(name);
    while (n < stop && <u32>load<u8>(q) == <u32>load<u16>(n)) {
      q++;
      n += 2;
    }
    if (n == stop && load<u8>(q) == 0x3d) {
      let z = q;
      while (load<u8>(z)) z++;
      store<u8>(z, LF);
      return q + 1;
    }
  }
  return 0;
}
