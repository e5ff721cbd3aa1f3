/** A queue had no room for a message, and was to fail instead of waiting. */
export class SharedQueueFullError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "SharedQueueFullError";
  /** Messages that the queue can hold. */
  readonly capacity: number;

  /** For `operation`, which found the queue full. */
  constructor(operation: string, capacity: number) {
    super(`${operation}: the queue is full: it holds ${capacity} messages`);
    this.capacity = capacity;
  }
}

/** A request will not be answered, or was answered by an error. */
export class SharedQueueReplyError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "SharedQueueReplyError";
  /** `"failed"`: its handler threw, and the message says why; `"lost"`: a consumer took the request and did not reply. */
  readonly reason: "failed" | "lost";

  /** What became of the request. */
  constructor(reason: "failed" | "lost", message: string) {
    super(message);
    this.reason = reason;
  }
}
