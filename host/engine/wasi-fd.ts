import {
	AGAIN,
	BADF,
	FAULT,
	INVAL,
	NOTCAPABLE,
	NOTSUP,
	OK,
	SPIPE,
} from "./errno.js";
import type { GuestMemory } from "./guest-memory.js";
import type { Call, WasiHost } from "./wasi.js";

/** POSIX's IOV_MAX on Linux. Without it 2²⁰ empty pieces would be work that no fuel pays for. */
const PIECES_MAX = 1024;
/** What looking at a piece costs, as bytes copied: 10 ns. */
const PIECE = 80;
/** Result counts are u32, and POSIX refuses a sum beyond ssize_t. */
const TOTAL_MAX = 0x7fff_ffff;

const CHARACTER_DEVICE = 2;
const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const RIGHT_FILESTAT = 1n << 21n;
const RIGHT_POLL = 1n << 27n;
const FLAG_NONBLOCK = 4;

/** Calls on descriptors 0, 1 and 2. */
export function descriptors(
	host: WasiHost,
	guest: GuestMemory,
): Record<string, Call> {
	/** Bit fd is set while fd is open. */
	let open = 0b111;
	const isOpen = (fd: number) => fd >>> 0 <= 2 && (open & (1 << fd)) !== 0;
	/** What descriptors that are no files answer to calls about places in a file. */
	const noFile = (errno: number) => (fd: number) => (isOpen(fd) ? errno : BADF);

	return {
		fd_read: (fd: number, iovs: number, count: number, result: number) =>
			fd === 0 && isOpen(0)
				? read(host, guest, iovs >>> 0, count >>> 0, result >>> 0)
				: BADF,
		fd_write: (fd: number, iovs: number, count: number, result: number) =>
			(fd === 1 || fd === 2) && isOpen(fd)
				? write(host, guest, fd, iovs >>> 0, count >>> 0, result >>> 0)
				: BADF,
		fd_close(fd: number) {
			if (!isOpen(fd)) return BADF;
			open &= ~(1 << fd);
			return OK;
		},
		fd_fdstat_get: (fd: number, result: number) =>
			isOpen(fd) ? fdstat(guest, fd, result >>> 0) : BADF,
		fd_fdstat_set_flags(fd: number, flags: number) {
			if (!isOpen(fd)) return BADF;
			return (flags & FLAG_NONBLOCK) === 0 ? OK : NOTSUP;
		},
		fd_fdstat_set_rights: noFile(NOTCAPABLE),
		fd_filestat_get: (fd: number, result: number) =>
			isOpen(fd) ? filestat(guest, result >>> 0) : BADF,
		fd_seek: noFile(SPIPE),
		fd_tell: noFile(SPIPE),
		fd_pread: noFile(SPIPE),
		fd_pwrite: noFile(SPIPE),
		fd_sync: noFile(INVAL),
		fd_datasync: noFile(INVAL),
	};
}

/**
 * Fills the first piece that is not empty; a read may always be shorter than asked for.
 *
 *   iovs ─▶ | u32 at | u32 length | … count times        result ─▶ | u32 bytes read |
 *               └─▶ bytes go here
 */
function read(
	host: WasiHost,
	guest: GuestMemory,
	iovs: number,
	count: number,
	result: number,
): number {
	const wrong = check(host, guest, iovs, count, result);
	if (wrong !== OK) return wrong;
	guest.setU32(result, 0);
	for (let p = iovs; p < iovs + count * 8; p += 8) {
		const length = guest.u32(p + 4);
		if (length === 0) continue;
		const got = host.read(guest.bytes, guest.u32(p), length, guest.view);
		if (got < 0) return AGAIN;
		guest.setU32(result, got);
		return OK;
	}
	return OK;
}

/**
 *   iovs ─▶ | u32 at | u32 length | … count times        result ─▶ | u32 bytes written |
 *               └─▶ bytes to write
 */
function write(
	host: WasiHost,
	guest: GuestMemory,
	fd: 1 | 2,
	iovs: number,
	count: number,
	result: number,
): number {
	const wrong = check(host, guest, iovs, count, result);
	if (wrong !== OK) return wrong;
	let written = 0;
	for (let p = iovs; p < iovs + count * 8; p += 8) {
		const at = guest.u32(p);
		const length = guest.u32(p + 4);
		if (length === 0) continue;
		const taken = host.write(fd, guest.bytes, at, at + length);
		written += taken;
		if (taken < length) break;
	}
	guest.setU32(result, written);
	return OK;
}

/** All that can be wrong is found before a byte moves: no input is taken that the guest never sees. */
function check(
	host: WasiHost,
	guest: GuestMemory,
	iovs: number,
	count: number,
	result: number,
): number {
	if (count > PIECES_MAX) return INVAL;
	if (!guest.holds(iovs, count * 8) || !guest.holds(result, 4)) return FAULT;
	if (count > 1) host.spend?.(count * PIECE);
	let total = 0;
	for (let p = iovs; p < iovs + count * 8; p += 8) {
		const length = guest.u32(p + 4);
		if (!guest.holds(guest.u32(p), length)) return FAULT;
		total += length;
	}
	return total > TOTAL_MAX ? INVAL : OK;
}

/**
 *   result ─▶ | u8 type | – | u16 flags | – – – – | u64 rights | u64 rights inherited |
 *
 * A character device that cannot seek is what wasi-libc takes for a terminal: C programs
 * then flush stdout at each line instead of every 4 KiB, and an alert leaves at once.
 */
function fdstat(guest: GuestMemory, fd: number, result: number): number {
	if (!guest.holds(result, 24)) return FAULT;
	guest.bytes.fill(0, result, result + 24);
	guest.bytes[result] = CHARACTER_DEVICE;
	const way = fd === 0 ? RIGHT_READ : RIGHT_WRITE;
	guest.setU64(result + 8, way | RIGHT_FILESTAT | RIGHT_POLL);
	return OK;
}

/**
 *   result ─▶ | u64 device | u64 inode | u8 type | – × 7 | u64 links | u64 size | u64 times × 3 |
 */
function filestat(guest: GuestMemory, result: number): number {
	if (!guest.holds(result, 64)) return FAULT;
	guest.bytes.fill(0, result, result + 64);
	guest.bytes[result + 16] = CHARACTER_DEVICE;
	guest.setU64(result + 24, 1n);
	return OK;
}
