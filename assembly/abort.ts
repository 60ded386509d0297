// What the language calls when it gives up: an index out of bounds, no memory left, a failed
// assertion. Its own way out would be an import that no WASI runtime has (env.abort).
import { STDERR, write } from "./wasi";

// @ts-ignore: decorator
@global
export function wasieve_abort(message: usize, file: usize, line: u32, column: u32): void {
  write(STDERR, 0, 0);
  unreachable();
}
