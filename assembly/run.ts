import { pump } from "./input";
import { Reading, setHandler } from "./reading";

/** Hands every reading to `work`. The last statement of a filter. */
// @ts-ignore: decorator
@inline
export function run(work: (r: Reading) => void): void {
  setHandler(changetype<usize>(work));
  pump();
}
