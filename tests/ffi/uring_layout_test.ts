import { assert, assertStrictEquals } from "@std/assert";
import { uringLayout } from "../../ffi/mod.ts";

/**
 * The numbers once more, from `linux/io_uring.h`, `linux/socket.h` and `linux/fcntl.h`, alike on x86-64 and arm64. The
 * kernel does not change them, so a difference is a slip; a number the program does not use any more may stay here.
 */
const KERNEL: Readonly<Record<string, number | Readonly<Record<string, number>>>> = {
  // sizeof: struct io_uring_sqe, io_uring_cqe, io_uring_params, io_uring_buf, msghdr, iovec.
  SQE_BYTES: 64,
  SQE_WORDS: 16,
  CQE_BYTES: 16,
  CQE_WORDS: 4,
  PARAMS_BYTES: 120,
  BUFFER_ENTRY_BYTES: 16,
  MSGHDR_BYTES: 56,
  IOVEC_BYTES: 16,
  // offsetof in struct io_uring_params, in words: 10 of its own, then struct io_sqring_offsets and io_cqring_offsets of 40
  // bytes each.
  PARAMS: {
    sqEntries: 0,
    cqEntries: 1,
    flags: 2,
    features: 5,
    sqHead: 10,
    sqTail: 11,
    sqMask: 12,
    sqEntriesAt: 13,
    sqFlags: 14,
    sqDropped: 15,
    sqArray: 16,
    cqHead: 20,
    cqTail: 21,
    cqMask: 22,
    cqOverflow: 24,
    cqEntriesAt: 25,
    cqFlags: 26,
  },
  MMAP: { rings: 0, submissionEntries: 268_435_456 },
  SETUP: {
    cqSize: 8,
    clamp: 16,
    coopTaskrun: 256,
    taskrunFlag: 512,
    singleIssuer: 4096,
    deferTaskrun: 8192,
    noSqarray: 65_536,
  },
  FEATURE: { singleMmap: 1, noDrop: 2, extArg: 256, minTimeout: 32_768 },
  ENTER_GETEVENTS: 1,
  SQ_FLAG: { cqOverflow: 2, taskrun: 4 },
  CQ_EVENTFD_DISABLED: 1,
  REGISTER: { eventfd: 4, probe: 8, bufferRing: 22 },
  OPCODE: {
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
    shutdown: 34,
  },
  SQE_FLAG: { fixedFile: 1, ioLink: 4, ioHardlink: 8, async: 16, bufferSelect: 32, cqeSkipSuccess: 64 },
  ACCEPT_MULTISHOT: 1,
  RECV_MULTISHOT: 2,
  POLL_MULTISHOT: 1,
  POLL_IN: 1,
  POLL_FIRST: 1,
  CANCEL: { all: 1, fd: 2, any: 4 },
  FSYNC_DATASYNC: 1,
  AT_FDCWD: -100,
  MSG_NOSIGNAL: 16_384,
  MSG_WAITALL: 256,
  MSG_DONTWAIT: 64,
  SOCK_CLOEXEC: 524_288,
  SOCK_NONBLOCK: 2048,
  CQE_FLAG: { buffer: 1, more: 2, sockNonempty: 4, notification: 8 },
  CQE_BUFFER_SHIFT: 16,
};

Deno.test("uringLayout has the kernel's numbers", () => {
  for (const [name, value] of Object.entries(uringLayout)) {
    const expected = KERNEL[name];
    assert(expected !== undefined, `${name} is not pinned: add it, from the kernel's header`);
    if (typeof value === "number" || typeof expected === "number") {
      assertStrictEquals(value, expected, name);
      continue;
    }
    for (const [key, number] of Object.entries(value)) {
      assert(
        expected[key] !== undefined,
        `${name}.${key} is not pinned: add it, from the kernel's header`,
      );
      assertStrictEquals(number, expected[key], `${name}.${key}`);
    }
  }
});

Deno.test("uringLayout has what the table above expects of it", () => {
  for (const name of ["PARAMS", "OPCODE", "SETUP", "SQE_BYTES", "CQE_BYTES", "CQE_FLAG", "MMAP"]) {
    assert(name in uringLayout, name);
  }
});
