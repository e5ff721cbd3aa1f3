/** Options of calls that may wait. */
export interface Abortable {
  /**
   * Ends the wait: the call rejects with the signal's reason, and pending system requests are cancelled where possible. Its listener
   * is removed when the wait is over.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of calls that may wait and can have a deadline of their own. */
export interface WaitOptions extends Abortable {
  /**
   * Milliseconds to wait at most, from 0, for sockets up to `DELAY_MS_MAX`; then the call rejects with a `DOMException` named `TimeoutError`.
   *
   * @default {Infinity}
   */
  readonly timeoutMs?: number;
}
