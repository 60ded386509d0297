// What the sending and the receiving thread share: one clock, a few counters.

/** @returns {number} monotonic milliseconds, the same clock in every thread and process */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Int32 slots of the shared memory. */
export const SLOT = { ready: 0, begun: 1, sent: 2, alerts: 3, stop: 4 };

/** Float64 slots: [0] when reading 0 was due, then a ring of how late each tick was sent, ms. */
export const TIMES = 1 + 20_000;
