/** The memory that a ring and its program share: its set-up, its mappings, and the offsets in it. */
import { check } from "./errno.ts";
import { native } from "./library.ts";
import { closeDescriptor, Mapping } from "./memory.ts";
import { ownedDescriptors } from "./owned_descriptors.ts";
import * as layout from "./uring_layout.ts";
import { PARAMS } from "./uring_layout.ts";

/** How a ring is set up. */
export interface UringOptions {
  /** Submission entries, a power of two. */
  readonly entries: number;
  /** Completion entries, a power of two, at least `entries`. */
  readonly completionEntries: number;
  /** Completions are processed only when this thread asks (SINGLE_ISSUER, DEFER_TASKRUN; Linux 6.1). */
  readonly deferTaskrun: boolean;
}

/** A ring's descriptor and its two mappings; the fields named for words are indexes into `words`. */
export class UringMemory {
  readonly fd: number;
  /** The marks of {@linkcode ownedDescriptors}. */
  readonly owned: Uint8Array<ArrayBuffer>;
  /** Whether a wait can gather several completions. */
  readonly coalesces: boolean;
  /** Both rings: heads, tails, flags, and the completion entries from `cqEntriesAt`. */
  readonly words: Int32Array;
  /** The submission entries. */
  readonly sqes: Int32Array;
  readonly sqHead: number;
  readonly sqTail: number;
  readonly sqFlags: number;
  readonly sqEntryCount: number;
  readonly cqHead: number;
  readonly cqTail: number;
  readonly cqFlags: number;
  readonly cqEntriesAt: number;
  readonly cqEntryCount: number;
  readonly #rings: Mapping;
  readonly #entries: Mapping;

  /** @throws {Deno.errors.PermissionDenied | Deno.errors.NotSupported} with the likely cause */
  static setUp(options: UringOptions): UringMemory {
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
      return new UringMemory(fd, params);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  private constructor(fd: number, params: Int32Array) {
    this.fd = fd;
    this.owned = ownedDescriptors();
    this.sqEntryCount = params[PARAMS.sqEntries];
    this.cqEntryCount = params[PARAMS.cqEntries];
    const ringBytes = Math.max(
      params[PARAMS.sqArray] + 4 * this.sqEntryCount,
      params[PARAMS.cqEntriesAt] + layout.CQE_BYTES * this.cqEntryCount,
    );
    this.#rings = Mapping.create(ringBytes, fd, layout.MMAP.rings);
    try {
      this.#entries = Mapping.create(layout.SQE_BYTES * this.sqEntryCount, fd, layout.MMAP.submissionEntries);
    } catch (error) {
      // A ring lives as long as a part of it is mapped.
      this.#rings.close();
      throw error;
    }
    this.words = new Int32Array(this.#rings.buffer, 0, ringBytes >>> 2);
    this.sqes = new Int32Array(this.#entries.buffer);
    this.sqHead = params[PARAMS.sqHead] >>> 2;
    this.sqTail = params[PARAMS.sqTail] >>> 2;
    this.sqFlags = params[PARAMS.sqFlags] >>> 2;
    this.cqHead = params[PARAMS.cqHead] >>> 2;
    this.cqTail = params[PARAMS.cqTail] >>> 2;
    this.cqFlags = params[PARAMS.cqFlags] >>> 2;
    this.cqEntriesAt = params[PARAMS.cqEntriesAt] >>> 2;
    // Entry i always goes through slot i of the indirection array.
    const array = params[PARAMS.sqArray] >>> 2;
    for (let index = 0; index < this.sqEntryCount; index++) this.words[array + index] = index;
    this.coalesces = (params[PARAMS.features] & layout.FEATURE.minTimeout) !== 0;
  }

  /** Unmaps and closes. Every view has length 0 afterwards. */
  close(): void {
    this.#rings.close();
    this.#entries.close();
    closeDescriptor(this.fd);
  }
}
