// From the digits of a JSON number to an i64, if it is one.

/** Whether the last integer() was one. */
export let isInteger64: bool = false;

/** The number at p; 5, 5.0, 50e-1 and 0.5e1 are the same integer. */
export function integer(p: usize): i64 {
  isInteger64 = false;
  return 0;
}
