/** Options of calls that may wait. */
export interface Abortable {
  /**
   * Ends the wait: the call rejects with the signal's reason, and what it asked the system for is cancelled where that can be. Its listener
   * is removed when the wait is over.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of calls that may wait, and can be given a deadline of their own. */
export interface WaitOptions extends Abortable {
  /**
   * Milliseconds to wait at most, from 0, for sockets up to `DELAY_MS_MAX`; then the call rejects with a `DOMException` named `TimeoutError`.
   *
   * @default {Infinity}
   */
  readonly timeoutMs?: number;
}
