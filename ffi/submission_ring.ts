/** The submission side of a ring. */
import { check, EAGAIN, EBUSY, EINTR, ETIME } from "./errno.ts";
import { native } from "./library.ts";
import { USER_DATA_TAG } from "./layouts.ts";
import { PinnedMemory } from "./pinned_memory.ts";
import * as layout from "./uring_layout.ts";
import { OPCODE, SQE_WORDS } from "./uring_layout.ts";
import type { UringMemory } from "./uring_memory.ts";

/** `timeout_us` of an enter call without a bound of its own. */
const NO_TIMEOUT = 0xffff_ffff;
/** Longest wait of one call in milliseconds; callers wait again. */
const WAIT_MS_MAX = 3_600_000;
/** The operation completes only when it fails. */
const QUIET = layout.SQE_FLAG.cqeSkipSuccess << 8;
const HIGH_WORD = 0x1_0000_0000;
const UINT32_MAX = 0xffff_ffff;

/**
 * Requests, written to the memory that the kernel reads them from.
 *
 * The `prepare…` methods write one entry each and return false when the ring is full even after submitting its entries to the
 * kernel; retry after completions have been read.
 */
export class SubmissionRing {
  readonly #fd: number;
  readonly #words: Int32Array;
  readonly #sqes: Int32Array;
  readonly #owned: Uint8Array<ArrayBuffer>;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #entryCount: number;
  readonly #mask: number;
  /** This thread's copy of the tail: no other thread moves it. */
  #tail: number;
  /** The head when last read; the kernel may have advanced it. */
  #headSeen: number;

  constructor(memory: UringMemory) {
    this.#fd = memory.fd;
    this.#words = memory.words;
    this.#owned = memory.owned;
    this.#sqes = memory.sqes;
    this.#sqHead = memory.sqHead;
    this.#sqTail = memory.sqTail;
    this.#entryCount = memory.sqEntryCount;
    this.#mask = memory.sqEntryCount - 1;
    this.#tail = Atomics.load(this.#words, this.#sqTail);
    this.#headSeen = this.#tail;
  }

  /** Entries written and not yet taken by the kernel. */
  get pendingCount(): number {
    return (this.#tail - Atomics.load(this.#words, this.#sqHead)) | 0;
  }

  /**
   * Submits written entries to the kernel, and has it post completions. Waits up to `waitMs` for the first, and where the
   * kernel can (`coalesces`), up to `gatherUs` for `count` of them.
   */
  enter(waitMs: number, count = 1, gatherUs = 0): void {
    // SYNC uring.sqTail: the entries' words become visible to the kernel, which loads the tail with acquire.
    Atomics.store(this.#words, this.#sqTail, this.#tail);
    const waiting = waitMs > 0;
    const timeoutUs = waiting ? Math.ceil(Math.min(waitMs, WAIT_MS_MAX) * 1000) : NO_TIMEOUT;
    const result = native().millrace_uring_enter(
      this.#fd,
      this.pendingCount,
      waiting ? count : 0,
      layout.ENTER_GETEVENTS,
      timeoutUs,
      waiting ? gatherUs : 0,
    );
    if (result < 0) checkEnter(result);
  }

  /** Submits written entries to the kernel without reading completions. */
  #submit(): void {
    Atomics.store(this.#words, this.#sqTail, this.#tail);
    const result = native().millrace_uring_enter(this.#fd, this.pendingCount, 0, 0, NO_TIMEOUT, 0);
    if (result < 0) checkEnter(result);
  }

  /** A no-op that completes. */
  prepareNop(id: number): boolean {
    return this.#write(id, OPCODE.nop, -1, 0, 0, 0, 0);
  }

  /** Accepts connections until cancelled: one completion each, its result the descriptor. */
  prepareAccept(id: number, fd: number): boolean {
    const head = OPCODE.accept | layout.ACCEPT_MULTISHOT << 16;
    return this.#write(id, head, fd, 0, 0, 0, layout.SOCK_CLOEXEC, 0, USER_DATA_TAG.descriptor);
  }

  /** Completes each time `fd` becomes readable, until cancelled. */
  preparePoll(id: number, fd: number): boolean {
    return this.#write(id, OPCODE.pollAdd, fd, 0, 0, layout.POLL_MULTISHOT, layout.POLL_IN);
  }

  /** Receives into provided buffers of `group`: once, or until cancelled when `multishot`. */
  prepareReceive(id: number, fd: number, group: number, multishot: boolean): boolean {
    const priority = multishot ? layout.RECV_MULTISHOT << 16 : 0;
    const head = OPCODE.recv | layout.SQE_FLAG.bufferSelect << 8 | priority;
    return this.#write(id, head, fd, 0, 0, 0, 0, group);
  }

  /** Sends `byteLength` bytes of `memory`; completes when all are with the kernel. */
  prepareSend(id: number, fd: number, memory: PinnedMemory, offset: number, byteLength: number): boolean {
    const address = PinnedMemory.addressOf(memory, offset);
    const flags = layout.MSG_NOSIGNAL | layout.MSG_WAITALL;
    return this.#write(id, OPCODE.send, fd, 0, address, byteLength, flags);
  }

  /** Connects to the address that {@linkcode writeSocketAddress} put at `offset`. */
  prepareConnect(id: number, fd: number, memory: PinnedMemory, offset: number, byteLength: number): boolean {
    return this.#write(id, OPCODE.connect, fd, byteLength, PinnedMemory.addressOf(memory, offset), 0, 0);
  }

  /** Sends the datagram whose message header {@linkcode writeMessageHeader} put at `offset`. */
  prepareSendMessage(id: number, fd: number, memory: PinnedMemory, offset: number): boolean {
    const address = PinnedMemory.addressOf(memory, offset);
    return this.#write(id, OPCODE.sendmsg, fd, 0, address, 1, layout.MSG_NOSIGNAL);
  }

  /** Receives one datagram by the message header at `offset`. */
  prepareReceiveMessage(id: number, fd: number, memory: PinnedMemory, offset: number): boolean {
    return this.#write(id, OPCODE.recvmsg, fd, 0, PinnedMemory.addressOf(memory, offset), 1, 0);
  }

  /** Opens the file whose zero-ended path is at `offset`; the result is its descriptor. */
  prepareOpen(id: number, memory: PinnedMemory, offset: number, flags: number, mode: number): boolean {
    const address = PinnedMemory.addressOf(memory, offset);
    const at = layout.AT_FDCWD;
    return this.#write(id, OPCODE.openat, at, 0, address, mode, flags, 0, USER_DATA_TAG.descriptor);
  }

  /** Reads at `position` into the `count` vectors that {@linkcode writeVector} put at `offset`. */
  prepareRead(
    id: number,
    fd: number,
    memory: PinnedMemory,
    offset: number,
    count: number,
    position: number,
  ): boolean {
    return this.#write(id, OPCODE.readv, fd, position, PinnedMemory.addressOf(memory, offset), count, 0);
  }

  /** Writes at `position` from the `count` vectors at `offset`. */
  prepareWrite(
    id: number,
    fd: number,
    memory: PinnedMemory,
    offset: number,
    count: number,
    position: number,
  ): boolean {
    return this.#write(id, OPCODE.writev, fd, position, PinnedMemory.addressOf(memory, offset), count, 0);
  }

  /** Flushes a file's data, and its metadata unless `dataOnly`, to the disk. */
  prepareSync(id: number, fd: number, dataOnly: boolean): boolean {
    return this.#write(id, OPCODE.fsync, fd, 0, 0, 0, dataOnly ? layout.FSYNC_DATASYNC : 0);
  }

  /** Closes a descriptor. With id 0 only a failure completes. */
  prepareClose(id: number, fd: number): boolean {
    if (!this.#write(id, OPCODE.close | (id === 0 ? QUIET : 0), fd, 0, 0, 0, 0)) return false;
    // Once the kernel has the entry the number may be another thread's, so the mark is cleared now. The tail is published now, so
    // that the library finds the entry if this thread ends before it is submitted.
    this.#owned[fd] = 0;
    this.#words[this.#sqTail] = this.#tail;
    return true;
  }

  /**
   * Cancels the operation `target`, which still completes, once. The cancellation itself has no completion.
   * `givesDescriptor`: whether the operation accepts or opens, which is a part of its user data.
   */
  prepareCancel(target: number, givesDescriptor = false): boolean {
    const userData = givesDescriptor ? target + USER_DATA_TAG.descriptor * HIGH_WORD : target;
    return this.#write(0, OPCODE.asyncCancel | QUIET, -1, 0, userData, 0, 0);
  }

  /** Writes one entry; numbers up to 2^53 are split into their words. */
  #write(
    id: number,
    head: number,
    fd: number,
    offset: number,
    address: number,
    length: number,
    flags: number,
    group = 0,
    tag = 0,
  ): boolean {
    if (((this.#tail - this.#headSeen) | 0) >= this.#entryCount && !this.#makeRoom()) return false;
    const sqes = this.#sqes;
    const at = (this.#tail & this.#mask) * SQE_WORDS;
    sqes[at] = head;
    sqes[at + 1] = fd;
    sqes[at + 2] = offset;
    sqes[at + 3] = offset > UINT32_MAX ? offset / HIGH_WORD : 0;
    sqes[at + 4] = address;
    sqes[at + 5] = address / HIGH_WORD;
    sqes[at + 6] = length;
    sqes[at + 7] = flags;
    sqes[at + 8] = id;
    sqes[at + 9] = tag;
    sqes[at + 10] = group;
    sqes[at + 11] = 0;
    sqes[at + 12] = 0;
    sqes[at + 13] = 0;
    this.#tail = (this.#tail + 1) | 0;
    return true;
  }

  /** Reads the kernel's head, and submits what the kernel has not taken; false when it takes nothing. */
  #makeRoom(): boolean {
    this.#headSeen = Atomics.load(this.#words, this.#sqHead);
    if (((this.#tail - this.#headSeen) | 0) < this.#entryCount) return true;
    this.#submit();
    this.#headSeen = Atomics.load(this.#words, this.#sqHead);
    return ((this.#tail - this.#headSeen) | 0) < this.#entryCount;
  }
}

/** A timeout, a signal, or a kernel that wants its completions read first is no failure: the caller tries again. */
function checkEnter(result: number): void {
  switch (result) {
    case -ETIME:
    case -EINTR:
    case -EBUSY:
    case -EAGAIN:
      return;
    default:
      check(result, "io_uring_enter");
  }
}
