import { systemError, type Uring } from "../../../../ffi/mod.ts";
import { UringOperation } from "./operation_table.ts";
import type { UringShared } from "./uring_shared.ts";

/** Ends waits whenever an eventfd is signalled. Its counter is never read, because each signal counts as an event. */
export class UringWatch extends UringOperation implements Disposable {
  readonly #shared: UringShared;
  readonly #descriptor: number;
  #closed = false;

  constructor(shared: UringShared, descriptor: number) {
    super();
    this.#shared = shared;
    this.#descriptor = descriptor;
    shared.table.submit(this);
  }

  override prepare(ring: Uring, id: number): boolean {
    return ring.preparePoll(id, this.#descriptor);
  }

  override complete(result: number): void {
    if (this.#closed || this.state !== "idle") return;
    // A poll may end by itself. One that failed would fail again; without it this thread wakes late.
    if (result >= 0) this.#shared.table.submit(this);
    else reportError(systemError("watch a descriptor", -result));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shared.table.cancel(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
