import { type PinnedMemory, type ProvidedBuffers, type Uring } from "../../../../ffi/mod.ts";
import type { BufferPool } from "../buffer_pool.ts";
import { OperationTable, UringOperation } from "./operation_table.ts";

/** What is closed along with the driver. */
export interface Closeable {
  close(): void;
}

/** Counters of a driver; they only grow. */
export interface UringStatistics {
  /** Receives that found every provided buffer in use. */
  bufferShortageCount: number;
  /** Calls of `io_uring_enter`. */
  enterCount: number;
  /** Completions delivered. */
  completionCount: number;
  /** Times that completions waited in the kernel because the completion ring was full. */
  overflowCount: number;
}

/** What the parts of the io_uring driver share. */
export class UringShared {
  readonly ring: Uring;
  readonly table: OperationTable;
  readonly provided: ProvidedBuffers;
  readonly buffers: BufferPool<PinnedMemory>;
  readonly multishotReceive: boolean;
  /** Sockets, listeners and files that are open, to be closed with the driver. */
  readonly sockets = new Set<Closeable>();
  readonly statistics: UringStatistics = {
    bufferShortageCount: 0,
    enterCount: 0,
    completionCount: 0,
    overflowCount: 0,
  };

  constructor(
    ring: Uring,
    provided: ProvidedBuffers,
    buffers: BufferPool<PinnedMemory>,
    multishotReceive: boolean,
  ) {
    this.ring = ring;
    this.table = new OperationTable(ring);
    this.provided = provided;
    this.buffers = buffers;
    this.multishotReceive = multishotReceive;
  }

  /** Closes a descriptor, whose operations have been cancelled. `onClosed` is called when it is done. */
  closeDescriptor(fd: number, onClosed?: () => void): void {
    const { table } = this;
    if (onClosed === undefined && table.backlogLength === 0 && this.ring.prepareClose(0, fd)) {
      table.onWork?.();
    } else table.submit(new CloseOperation(fd, onClosed));
  }
}

/**
 * Closing goes through the ring like everything else. The kernel takes entries in order, so no entry for this descriptor can
 * reach another file that was given its number.
 */
export class CloseOperation extends UringOperation {
  readonly #fd: number;
  readonly #onClosed: (() => void) | undefined;

  constructor(fd: number, onClosed: (() => void) | undefined) {
    super();
    this.#fd = fd;
    this.#onClosed = onClosed;
  }

  override prepare(ring: Uring, id: number): boolean {
    return ring.prepareClose(id, this.#fd);
  }

  override complete(): void {
    this.#onClosed?.();
  }
}
