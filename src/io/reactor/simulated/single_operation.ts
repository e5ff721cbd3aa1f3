import { errno, systemError } from "../../../../ffi/mod.ts";
import { type Operations, SimulatedOperation } from "./operations.ts";
import type { SimulatedOperationKind } from "./simulated_faults.ts";

/** The request of {@linkcode runOperation}. */
export interface SingleRequest {
  readonly kind: SimulatedOperationKind;
  /** Name of the operation for errors, e.g. `"connect"`, and its object. */
  readonly operation: string;
  readonly detail?: string;
  readonly signal?: AbortSignal | undefined;
  /** The kernel tries: a count, -errno, or `undefined` when it has to wait. */
  attempt(short: boolean): number | undefined;
  /** A fault strikes in place of the attempt. */
  strike?(errno: number): void;
  /** Called once when the kernel is done, before the promise settles. */
  release?(result: number): void;
}

class SingleOperation extends SimulatedOperation {
  readonly #operations: Operations;
  readonly #request: SingleRequest;
  readonly #onComplete: (result: number) => void;

  constructor(operations: Operations, request: SingleRequest, onComplete: (result: number) => void) {
    super(request.kind);
    this.#operations = operations;
    this.#request = request;
    this.#onComplete = onComplete;
  }

  override attempt(): void {
    const result = this.#request.attempt(this.short);
    if (result !== undefined) this.#operations.decide(this, result);
  }

  override strike(errno: number): void {
    this.#request.strike?.(errno);
  }

  override complete(result: number): void {
    this.#onComplete(result);
  }
}

/** One request with one completion, as a promise, and a way to try it again. */
export interface Run {
  readonly promise: Promise<number>;
  retry(): void;
}

/** Makes one request. Aborting rejects at once and cancels the request; `release` is called when it completes. */
export function runOperation(operations: Operations, request: SingleRequest): Run {
  const { signal } = request;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const operation = new SingleOperation(operations, request, (result) => {
    signal?.removeEventListener("abort", onAbort);
    request.release?.(result);
    if (result >= 0) resolve(result);
    else reject(systemError(request.operation, -result, request.detail));
  });
  function onAbort(): void {
    reject(signal?.reason);
    operations.cancel(operation);
  }
  if (signal?.aborted) {
    request.release?.(-errno.ECANCELED);
    return { promise: Promise.reject(signal.reason), retry: () => {} };
  }
  operations.start(operation);
  signal?.addEventListener("abort", onAbort, { once: true });
  return { promise, retry: () => operations.retry(operation) };
}
