// What an author imports; docs/sdk.md describes it.
import "./words";
import "./memory";
export { alert } from "./alert";
export { pump } from "./input";
export { drop, reject } from "./note";
export { emit, emitTo, Output } from "./object";
export { param } from "./params";
export { pass, Reading } from "./reading";
export { run } from "./run";
export { log, wasieve_abort, wasieve_at } from "./stderr";
export { atEnd, every, now } from "./time";
export { topic } from "./topic";
