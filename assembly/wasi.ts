// The whole of the outside world: five calls of WASI preview 1. Only what a filter uses is
// imported by its module. Pointers are addresses in this module's own memory.

import { transfer } from "./memory";

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
export declare function fd_read(fd: u32, iovs: usize, count: usize, done: usize): u32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
export declare function fd_write(fd: u32, iovs: usize, count: usize, done: usize): u32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(pointers: usize, bytes: usize): u32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(count: usize, size: usize): u32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: u32): void;

export const STDIN: u32 = 0;
export const STDOUT: u32 = 1;
export const STDERR: u32 = 2;

export const EAGAIN: u32 = 6;
export const EINTR: u32 = 27;

/**
 * Reads at most `room` bytes of stdin to `to`; returns an errno. One iovec a call: some
 * runtimes serve only the first (facts: wasmtime).
 */
// @ts-ignore: decorator
@inline
export function read(to: usize, room: usize): u32 {
  store<u32>(transfer, to);
  store<u32>(transfer, room, 4);
  return fd_read(STDIN, transfer, 1, transfer + 8);
}

/** How many it were; 0 is the end of input. */
// @ts-ignore: decorator
@inline
export function bytesRead(): usize {
  return load<u32>(transfer, 8);
}

/** Writes all of it, however little a call takes. False when the descriptor is gone. */
export function write(fd: u32, from: usize, length: usize): bool {
  while (length) {
    store<u32>(transfer, from);
    store<u32>(transfer, length, 4);
    const errno = fd_write(fd, transfer, 1, transfer + 8);
    if (errno == EAGAIN || errno == EINTR) continue;
    if (errno) return false;
    const done: usize = load<u32>(transfer, 8);
    from += done;
    length -= done;
  }
  return true;
}
