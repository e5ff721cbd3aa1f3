/**
 * A call would have had to wait, but `waitingMax` calls wait already. Shed the load, or retry later.
 */
export class QueueFullError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "QueueFullError";
  /** The limit that was reached. */
  readonly waitingMax: number;

  /** For `operation`, which found `waitingMax` others waiting. */
  constructor(operation: string, waitingMax: number) {
    super(`${operation}: ${waitingMax} wait already, expected fewer than waitingMax`);
    this.waitingMax = waitingMax;
  }
}

/** The object has been closed, and closing it gave no other reason. */
export class ClosedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name: string = "ClosedError";

  /** For `operation`, which found `what` closed. */
  constructor(operation: string, what: string) {
    super(`${operation}: the ${what} is closed`);
  }
}

/** A {@linkcode Gate} is closed and lets nothing in any more. */
export class GateClosedError extends ClosedError {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "GateClosedError";

  /** For `operation`, which found the gate closed. */
  constructor(operation: string) {
    super(operation, "gate");
  }
}

/** A {@linkcode Channel} or {@linkcode Broadcast} accepts no more values, or has no more to give. */
export class ChannelClosedError extends ClosedError {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "ChannelClosedError";

  /** For `operation`, which found `what` closed. */
  constructor(operation: string, what = "channel") {
    super(operation, what);
  }
}

/** A {@linkcode Subscription} fell further behind than its capacity, where `whenFull` is `"fail"`. */
export class BroadcastLaggedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "BroadcastLaggedError";
  /** Values that the subscription could hold. */
  readonly capacity: number;

  /** For `operation`, on a subscription that held `capacity` values when one more was sent. */
  constructor(operation: string, capacity: number) {
    super(`${operation}: a value was missed, expected at most ${capacity} to be held at once`);
    this.capacity = capacity;
  }
}
