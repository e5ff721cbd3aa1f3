/**
 * Numbers of the io_uring interface (`linux/io_uring.h`), pinned by a test against the structures' documented sizes.
 *
 * ```text
 * submission entry, 64 bytes, in words of 4:
 *   0 opcode:8 flags:8 ioprio:16 | 1 fd | 2,3 offset or addr2 | 4,5 addr | 6 length | 7 operation's flags
 *   8,9 user_data | 10 buffer group:16 personality:16 | 11 file index | 12..15 unused here
 * completion entry, 16 bytes: 0,1 user_data | 2 result | 3 flags
 * ```
 * The program writes submission entries and the submission tail; the kernel writes the submission head, completion
 * entries and the completion tail; the program writes the completion head.
 */

export const SQE_WORDS = 16;
export const SQE_BYTES = 64;
export const CQE_WORDS = 4;
export const CQE_BYTES = 16;
export const PARAMS_BYTES = 120;

/** Offsets into `struct io_uring_params`, in words of 4 bytes. */
export const PARAMS = {
  sqEntries: 0,
  cqEntries: 1,
  flags: 2,
  features: 5,
  sqHead: 10,
  sqTail: 11,
  sqMask: 12,
  sqFlags: 14,
  sqArray: 16,
  cqHead: 20,
  cqTail: 21,
  cqMask: 22,
  cqOverflow: 24,
  cqEntriesAt: 25,
  cqFlags: 26,
} as const;

/** `mmap` offsets of the parts of a ring. */
export const MMAP = { rings: 0, submissionEntries: 0x1000_0000 } as const;

export const SETUP = {
  cqSize: 1 << 3,
  clamp: 1 << 4,
  coopTaskrun: 1 << 8,
  taskrunFlag: 1 << 9,
  singleIssuer: 1 << 12,
  deferTaskrun: 1 << 13,
} as const;

export const FEATURE = { singleMmap: 1 << 0, noDrop: 1 << 1, extArg: 1 << 8, minTimeout: 1 << 15 } as const;
export const ENTER_GETEVENTS = 1;
/** Bits the kernel sets in the submission ring's flags. */
export const SQ_FLAG = { cqOverflow: 1 << 1, taskrun: 1 << 2 } as const;
/** Bit the program sets in the completion ring's flags. */
export const CQ_EVENTFD_DISABLED = 1;
export const REGISTER = { eventfd: 4, probe: 8, bufferRing: 22 } as const;

export const OPCODE = {
  nop: 0,
  readv: 1,
  writev: 2,
  fsync: 3,
  pollAdd: 6,
  sendmsg: 9,
  recvmsg: 10,
  accept: 13,
  asyncCancel: 14,
  connect: 16,
  openat: 18,
  close: 19,
  send: 26,
  recv: 27,
} as const;

export const SQE_FLAG = { bufferSelect: 1 << 5, cqeSkipSuccess: 1 << 6 } as const;
/** Both live in the entry's `ioprio`. */
export const ACCEPT_MULTISHOT = 1;
export const RECV_MULTISHOT = 2;
/** In the entry's length. */
export const POLL_MULTISHOT = 1;
export const POLL_IN = 1;
export const FSYNC_DATASYNC = 1;
export const AT_FDCWD = -100;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_WAITALL = 0x100;
export const SOCK_CLOEXEC = 0x80000;

export const CQE_FLAG = {
  /** The upper 16 bits name the provided buffer that was used. */
  buffer: 1 << 0,
  /** The operation is multishot and goes on. */
  more: 1 << 1,
} as const;
export const CQE_BUFFER_SHIFT = 16;

/** Bytes of one entry of a provided-buffer ring: address 8, length 4, buffer id 2, and the ring's tail in entry 0. */
export const BUFFER_ENTRY_BYTES = 16;
/** `struct msghdr` and `struct iovec` on 64-bit machines. */
export const MSGHDR_BYTES = 56;
export const IOVEC_BYTES = 16;
