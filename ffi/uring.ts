/** One io_uring instance: its rings mapped, entries written and completions read in TypeScript. */
import { check, EAGAIN, EBUSY, EINTR, ETIME } from "./errno.ts";
import { native } from "./library.ts";
import { closeDescriptor, Mapping } from "./memory.ts";
import { PinnedMemory } from "./pinned_memory.ts";
import { encodeSocketAddress, type SocketAddress } from "./socket_address.ts";
import * as layout from "./uring_layout.ts";
import { CQE_WORDS, OPCODE, PARAMS, SQE_WORDS } from "./uring_layout.ts";

/** `timeout_us` of an enter call without a bound of its own. */
const NO_TIMEOUT = 0xffff_ffff;
/** Longest wait of one call in milliseconds; callers wait again. */
const WAIT_MS_MAX = 3_600_000;
/** Completions dispatched between two publications of the completion head. */
const REAP_BATCH = 64;
/** Completes only when it fails. */
const QUIET = layout.SQE_FLAG.cqeSkipSuccess << 8;
const HIGH_WORD = 0x1_0000_0000;
const UINT32_MAX = 0xffff_ffff;

/** How a ring is set up. */
export interface UringOptions {
  /** Submission entries, a power of two. */
  readonly entries: number;
  /** Completion entries, a power of two, at least `entries`. */
  readonly completionEntries: number;
  /** Completions are worked off only when this thread asks (SINGLE_ISSUER, DEFER_TASKRUN; Linux 6.1). */
  readonly deferTaskrun: boolean;
}

/** Receives completions: the id given with the entry, the result (or -errno), and the completion's flags. */
export interface CompletionSink {
  complete(id: number, result: number, flags: number): void;
}

/**
 * A ring. It belongs to the thread that opened it.
 *
 * The `prepare…` methods write one entry each and return false when the submission ring is full even after handing
 * what it holds to the kernel; try again after a `reap()`.
 */
export class Uring implements Disposable {
  /** Whether `enter()` can wait a while for several completions. */
  readonly coalesces: boolean;
  readonly #fd: number;
  readonly #rings: Mapping;
  readonly #entries: Mapping;
  readonly #words: Int32Array;
  readonly #sqes: Int32Array;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #sqFlags: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqFlags: number;
  readonly #cqEntriesAt: number;
  readonly #sqEntryCount: number;
  readonly #sqMask: number;
  readonly #cqMask: number;
  /** Own copy of the submission tail: only this thread moves it. */
  #tail = 0;
  /** The submission head when last looked at; the kernel may have come further. */
  #headSeen = 0;
  #closed = false;

  /** @throws {Deno.errors.PermissionDenied | Deno.errors.NotSupported} with the likely cause */
  static open(options: UringOptions): Uring {
    const params = new Int32Array(layout.PARAMS_BYTES / 4);
    const taskrun = options.deferTaskrun
      ? layout.SETUP.singleIssuer | layout.SETUP.deferTaskrun
      : layout.SETUP.coopTaskrun;
    params[PARAMS.flags] = layout.SETUP.cqSize | layout.SETUP.clamp | layout.SETUP.taskrunFlag | taskrun;
    params[PARAMS.cqEntries] = options.completionEntries;
    const bytes = new Uint8Array(params.buffer);
    const fd = check(native().millrace_uring_setup(options.entries, bytes), "io_uring_setup");
    try {
      const needed = layout.FEATURE.singleMmap | layout.FEATURE.noDrop | layout.FEATURE.extArg;
      if ((params[PARAMS.features] & needed) !== needed) {
        throw new Deno.errors.NotSupported(
          "io_uring_setup: the kernel is too old, expected Linux 5.19 or later",
        );
      }
      return new Uring(fd, params);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  private constructor(fd: number, params: Int32Array) {
    this.#fd = fd;
    this.#sqEntryCount = params[PARAMS.sqEntries];
    const cqEntryCount = params[PARAMS.cqEntries];
    const ringBytes = Math.max(
      params[PARAMS.sqArray] + 4 * this.#sqEntryCount,
      params[PARAMS.cqEntriesAt] + layout.CQE_BYTES * cqEntryCount,
    );
    this.#rings = Mapping.create(ringBytes, fd, layout.MMAP.rings);
    this.#entries = Mapping.create(layout.SQE_BYTES * this.#sqEntryCount, fd, layout.MMAP.submissionEntries);
    this.#words = new Int32Array(this.#rings.buffer, 0, ringBytes >>> 2);
    this.#sqes = new Int32Array(this.#entries.buffer);
    this.#sqHead = params[PARAMS.sqHead] >>> 2;
    this.#sqTail = params[PARAMS.sqTail] >>> 2;
    this.#sqFlags = params[PARAMS.sqFlags] >>> 2;
    this.#cqHead = params[PARAMS.cqHead] >>> 2;
    this.#cqTail = params[PARAMS.cqTail] >>> 2;
    this.#cqFlags = params[PARAMS.cqFlags] >>> 2;
    this.#cqEntriesAt = params[PARAMS.cqEntriesAt] >>> 2;
    this.#sqMask = this.#sqEntryCount - 1;
    this.#cqMask = cqEntryCount - 1;
    // Entry i always goes through slot i of the indirection array.
    const array = params[PARAMS.sqArray] >>> 2;
    for (let index = 0; index < this.#sqEntryCount; index++) this.#words[array + index] = index;
    this.#tail = Atomics.load(this.#words, this.#sqTail);
    this.#headSeen = this.#tail;
    this.coalesces = (params[PARAMS.features] & layout.FEATURE.minTimeout) !== 0;
  }

  /** Entries written and not yet taken by the kernel. */
  get pendingCount(): number {
    return (this.#tail - Atomics.load(this.#words, this.#sqHead)) | 0;
  }

  /** Whether `reap()` would find completions, or the kernel has some to work off. */
  get hasCompletions(): boolean {
    const words = this.#words;
    return Atomics.load(words, this.#cqTail) !== Atomics.load(words, this.#cqHead) ||
      (Atomics.load(words, this.#sqFlags) & (layout.SQ_FLAG.taskrun | layout.SQ_FLAG.cqOverflow)) !== 0;
  }

  /** Whether completions are waiting in the kernel because the completion ring was full. */
  get overflowed(): boolean {
    return (Atomics.load(this.#words, this.#sqFlags) & layout.SQ_FLAG.cqOverflow) !== 0;
  }

  /**
   * Hands written entries to the kernel, and has it post completions. Waits up to `waitMs` for the first, and where the
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
    if (result < 0) this.#checkEnter(result);
  }

  /** Hands written entries to the kernel without looking at completions. */
  #submit(): void {
    Atomics.store(this.#words, this.#sqTail, this.#tail);
    const result = native().millrace_uring_enter(this.#fd, this.pendingCount, 0, 0, NO_TIMEOUT, 0);
    if (result < 0) this.#checkEnter(result);
  }

  /** Time over, a signal, or a kernel that wants its completions read first are no failures: the caller comes again. */
  #checkEnter(result: number): void {
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

  /** Passes every completion that is there to `sink`; returns how many. */
  reap(sink: CompletionSink): number {
    const words = this.#words;
    const mask = this.#cqMask;
    const entriesAt = this.#cqEntriesAt;
    let head = Atomics.load(words, this.#cqHead);
    let count = 0;
    try {
      for (;;) {
        // SYNC uring.cqTail: completion entries below the tail are complete.
        const available = (Atomics.load(words, this.#cqTail) - head) | 0;
        if (available === 0) return count;
        const batch = Math.min(available, REAP_BATCH);
        for (let index = 0; index < batch; index++) {
          const at = entriesAt + (head & mask) * CQE_WORDS;
          // Plain loads: between the load of the tail and the store of the head these words are ours alone, and each
          // is read once.
          const id = words[at];
          const result = words[at + 2];
          const flags = words[at + 3];
          head = (head + 1) | 0;
          count++;
          if (id !== 0) sink.complete(id, result, flags);
        }
        // SYNC uring.cqHead: the kernel may reuse the entries below the head.
        Atomics.store(words, this.#cqHead, head);
      }
    } finally {
      Atomics.store(words, this.#cqHead, head);
    }
  }

  /** Names the eventfd that tells of completions while notifications are on. */
  registerEventDescriptor(fd: number): void {
    const argument = new Int32Array([fd]);
    check(
      native().millrace_uring_register(this.#fd, layout.REGISTER.eventfd, argument, 1),
      "register eventfd",
    );
    this.setNotifications(false);
  }

  /** Whether completions signal the registered eventfd: only while this thread is about to sleep. */
  setNotifications(on: boolean): void {
    Atomics.store(this.#words, this.#cqFlags, on ? 0 : layout.CQ_EVENTFD_DISABLED);
  }

  /** Whether the kernel knows every one of `opcodes`. */
  supports(opcodes: readonly number[]): boolean {
    const operations = 64;
    const probe = new Uint8Array(16 + 8 * operations);
    if (native().millrace_uring_register(this.#fd, layout.REGISTER.probe, probe, operations) < 0) {
      return false;
    }
    return opcodes.every((opcode) => opcode < operations && (probe[16 + 8 * opcode + 2] & 1) === 1);
  }

  /** Gives the kernel a ring of provided buffers: `memory` holds `entryCount` entries. */
  registerBufferRing(memory: PinnedMemory, entryCount: number, group: number): void {
    const argument = new DataView(new ArrayBuffer(40));
    argument.setBigUint64(0, BigInt(PinnedMemory.addressOf(memory, 0)), true);
    argument.setUint32(8, entryCount, true);
    argument.setUint16(12, group, true);
    const bytes = new Uint8Array(argument.buffer);
    const result = native().millrace_uring_register(this.#fd, layout.REGISTER.bufferRing, bytes, 1);
    check(result, "register provided buffers");
  }

  /** Does nothing, and completes. */
  prepareNop(id: number): boolean {
    return this.#write(id, OPCODE.nop, -1, 0, 0, 0, 0);
  }

  /** Accepts connections until cancelled: one completion each, its result the descriptor. */
  prepareAccept(id: number, fd: number): boolean {
    return this.#write(id, OPCODE.accept | layout.ACCEPT_MULTISHOT << 16, fd, 0, 0, 0, layout.SOCK_CLOEXEC);
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
    return this.#write(
      id,
      OPCODE.openat,
      layout.AT_FDCWD,
      0,
      PinnedMemory.addressOf(memory, offset),
      mode,
      flags,
    );
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

  /** Brings a file's data, and its metadata unless `dataOnly`, to the disk. */
  prepareSync(id: number, fd: number, dataOnly: boolean): boolean {
    return this.#write(id, OPCODE.fsync, fd, 0, 0, 0, dataOnly ? layout.FSYNC_DATASYNC : 0);
  }

  /** Closes a descriptor. With id 0 only a failure completes. */
  prepareClose(id: number, fd: number): boolean {
    return this.#write(id, OPCODE.close | (id === 0 ? QUIET : 0), fd, 0, 0, 0, 0);
  }

  /** Asks for the operation `target` to be cancelled; it still completes, once. Of the asking itself nothing is heard. */
  prepareCancel(target: number): boolean {
    return this.#write(0, OPCODE.asyncCancel | QUIET, -1, 0, target, 0, 0);
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
  ): boolean {
    if (((this.#tail - this.#headSeen) | 0) >= this.#sqEntryCount && !this.#makeRoom()) return false;
    const sqes = this.#sqes;
    const at = (this.#tail & this.#sqMask) * SQE_WORDS;
    sqes[at] = head;
    sqes[at + 1] = fd;
    sqes[at + 2] = offset;
    sqes[at + 3] = offset > UINT32_MAX ? offset / HIGH_WORD : 0;
    sqes[at + 4] = address;
    sqes[at + 5] = address / HIGH_WORD;
    sqes[at + 6] = length;
    sqes[at + 7] = flags;
    sqes[at + 8] = id;
    sqes[at + 9] = 0;
    sqes[at + 10] = group;
    sqes[at + 11] = 0;
    sqes[at + 12] = 0;
    sqes[at + 13] = 0;
    this.#tail = (this.#tail + 1) | 0;
    return true;
  }

  /** Looks where the kernel has come to, and hands it what it has not taken; false when it takes nothing. */
  #makeRoom(): boolean {
    this.#headSeen = Atomics.load(this.#words, this.#sqHead);
    if (((this.#tail - this.#headSeen) | 0) < this.#sqEntryCount) return true;
    this.#submit();
    this.#headSeen = Atomics.load(this.#words, this.#sqHead);
    return ((this.#tail - this.#headSeen) | 0) < this.#sqEntryCount;
  }

  /** Closes the ring. Memory given to operations that have not completed must not be reused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rings.close();
    this.#entries.close();
    closeDescriptor(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Writes a socket address at `offset` of `memory`; returns its length. */
export function writeSocketAddress(memory: PinnedMemory, offset: number, address: SocketAddress): number {
  return encodeSocketAddress(address, memory.bytes.subarray(offset));
}

/** Writes an iovec at `at` of `table` that names `byteLength` bytes from `offset` of `memory`. */
export function writeVector(
  table: PinnedMemory,
  at: number,
  memory: PinnedMemory,
  offset: number,
  byteLength: number,
): void {
  const view = new DataView(table.bytes.buffer);
  view.setBigUint64(at, BigInt(PinnedMemory.addressOf(memory, offset)), true);
  view.setBigUint64(at + 8, BigInt(byteLength), true);
}

/** Places of the parts of one datagram in pinned memory. */
export interface MessageParts {
  readonly addressOffset: number;
  readonly addressByteLength: number;
  readonly vectorOffset: number;
  readonly dataOffset: number;
  readonly dataByteLength: number;
}

/** Writes a message header at `at`, and the one vector it names, for a datagram laid out in the same memory. */
export function writeMessageHeader(memory: PinnedMemory, at: number, parts: MessageParts): void {
  writeVector(memory, parts.vectorOffset, memory, parts.dataOffset, parts.dataByteLength);
  const view = new DataView(memory.bytes.buffer);
  view.setBigUint64(at, BigInt(PinnedMemory.addressOf(memory, parts.addressOffset)), true);
  view.setBigUint64(at + 8, BigInt(parts.addressByteLength), true);
  view.setBigUint64(at + 16, BigInt(PinnedMemory.addressOf(memory, parts.vectorOffset)), true);
  view.setBigUint64(at + 24, 1n, true);
  for (let offset = 32; offset < layout.MSGHDR_BYTES; offset += 8) view.setBigUint64(at + offset, 0n, true);
}

/** Length of the address the kernel wrote for a message header at `at`. */
export function messageAddressLength(memory: PinnedMemory, at: number): number {
  return new DataView(memory.bytes.buffer).getUint32(at + 8, true);
}
