/** One io_uring instance: entries written and completions read in TypeScript. */
import { CompletionRing, type CompletionSink } from "./completion_ring.ts";
import { check } from "./errno.ts";
import { native } from "./library.ts";
import { PinnedMemory } from "./pinned_memory.ts";
import { SubmissionRing } from "./submission_ring.ts";
import { REGISTER } from "./uring_layout.ts";
import { UringMemory, type UringOptions } from "./uring_memory.ts";

/**
 * A ring: the {@linkcode SubmissionRing} with the requests, and their completions. It belongs to the thread that opened it, and is
 * closed with that thread at the latest.
 */
export class Uring extends SubmissionRing implements Disposable {
  /** Whether `enter()` can wait a while for several completions. */
  readonly coalesces: boolean;
  readonly #fd: number;
  readonly #memory: UringMemory;
  readonly #completions: CompletionRing;
  #closed = false;

  /** @throws {Deno.errors.PermissionDenied | Deno.errors.NotSupported} with the likely cause */
  static open(options: UringOptions): Uring {
    return new Uring(UringMemory.setUp(options));
  }

  private constructor(memory: UringMemory) {
    super(memory);
    this.#fd = memory.fd;
    this.#memory = memory;
    this.#completions = new CompletionRing(memory);
    this.coalesces = memory.coalesces;
  }

  /** Whether `reap()` would find completions, or the kernel has deferred work. */
  get hasCompletions(): boolean {
    return this.#completions.hasCompletions;
  }

  /** Whether completions are waiting in the kernel because the completion ring was full. */
  get overflowed(): boolean {
    return this.#completions.overflowed;
  }

  /** Passes every available completion to `sink`; returns how many. */
  reap(sink: CompletionSink): number {
    return this.#completions.reap(sink);
  }

  /** Registers the eventfd that the kernel signals on completions while notifications are on. */
  registerEventDescriptor(fd: number): void {
    const argument = new Int32Array([fd]);
    check(
      native().millrace_uring_register(this.#fd, REGISTER.eventfd, argument, 1),
      "register eventfd",
    );
    this.setNotifications(false);
  }

  /** Whether completions signal the registered eventfd: only while this thread is about to sleep. */
  setNotifications(on: boolean): void {
    this.#completions.setNotifications(on);
  }

  /** Whether the kernel supports every one of `opcodes`. */
  supports(opcodes: readonly number[]): boolean {
    const operations = 64;
    const probe = new Uint8Array(16 + 8 * operations);
    if (native().millrace_uring_register(this.#fd, REGISTER.probe, probe, operations) < 0) {
      return false;
    }
    return opcodes.every((opcode) => opcode < operations && (probe[16 + 8 * opcode + 2] & 1) === 1);
  }

  /** Registers a ring of provided buffers: `memory` holds `entryCount` entries. */
  registerBufferRing(memory: PinnedMemory, entryCount: number, group: number): void {
    const argument = new DataView(new ArrayBuffer(40));
    argument.setBigUint64(0, BigInt(PinnedMemory.addressOf(memory, 0)), true);
    argument.setUint32(8, entryCount, true);
    argument.setUint16(12, group, true);
    const bytes = new Uint8Array(argument.buffer);
    const result = native().millrace_uring_register(this.#fd, REGISTER.bufferRing, bytes, 1);
    check(result, "register provided buffers");
  }

  /** Closes the ring. Memory given to operations that have not completed must not be reused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
