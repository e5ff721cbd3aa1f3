import { errno, systemError, type Uring } from "../../../../ffi/mod.ts";
import { type OperationTable, UringOperation } from "./operation_table.ts";

/** One request with one completion, as a promise: connecting, files, datagrams sent. */
class SingleOperation extends UringOperation {
  readonly #givesDescriptor: boolean;
  readonly #prepare: (ring: Uring, id: number) => boolean;
  readonly #onComplete: (result: number) => void;

  constructor(
    givesDescriptor: boolean,
    prepare: (ring: Uring, id: number) => boolean,
    onComplete: (result: number) => void,
  ) {
    super();
    this.#givesDescriptor = givesDescriptor;
    this.#prepare = prepare;
    this.#onComplete = onComplete;
  }

  override get givesDescriptor(): boolean {
    return this.#givesDescriptor;
  }

  override prepare(ring: Uring, id: number): boolean {
    return this.#prepare(ring, id);
  }

  override complete(result: number): void {
    this.#onComplete(result);
  }
}

/** The request of {@linkcode runOperation}. */
export interface SingleRequest {
  /** Name of the operation for errors, e.g. `"connect"`, and its object. */
  readonly operation: string;
  readonly detail?: string;
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the result is a descriptor.
   *
   * @default {false}
   */
  readonly givesDescriptor?: boolean;
  /** Writes the entry; false when there is no room. */
  prepare(ring: Uring, id: number): boolean;
  /** Called once when the kernel is done with what the request refers to, before the promise settles. */
  release?(result: number): void;
}

/**
 * Makes one request and resolves to its result. Aborting rejects at once and cancels the request; what the request refers to
 * is released only when the kernel has completed it.
 */
export function runOperation(table: OperationTable, request: SingleRequest): Promise<number> {
  const { signal } = request;
  if (signal?.aborted) {
    // Aborted while the caller waited for a buffer: a signal notifies its listeners only once, and that was before.
    request.release?.(-errno.ECANCELED);
    return Promise.reject(signal.reason);
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const operation = new SingleOperation(
    request.givesDescriptor ?? false,
    (ring, id) => request.prepare(ring, id),
    (result) => {
      signal?.removeEventListener("abort", onAbort);
      request.release?.(result);
      if (result >= 0) resolve(result);
      else reject(systemError(request.operation, -result, request.detail));
    },
  );
  function onAbort(): void {
    reject(signal?.reason);
    table.cancel(operation);
  }
  table.submit(operation);
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
