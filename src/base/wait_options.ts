/** Options of every call that may wait. */
export interface Abortable {
  /** Ends the wait: the call rejects with its reason. Its listener is removed when the wait is over. */
  signal?: AbortSignal;
}

/** Options of calls that may wait, and can be given a deadline of their own. */
export interface WaitOptions extends Abortable {
  /**
   * Milliseconds to wait at most, from 0; then the call rejects with a `DOMException` named `TimeoutError`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number;
}
