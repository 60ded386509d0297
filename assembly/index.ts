export { Reading } from "./reading";
export { alert } from "./alert";
export { param } from "./params";
export { run } from "./run";
export { pump } from "./input";
export { wasieve_abort } from "./abort";
