/** How a ring ended for one side: the other closed its half, died with it (a process or a worker), or this side closed its own. */
export type RingEnd = "closed" | "died" | "closed here";

/** A ring cannot be used any more. */
export class RingClosedError extends Error {
  /** Always `"RingClosedError"`. */
  override readonly name = "RingClosedError";
  /** How it ended. */
  readonly end: RingEnd;

  /** For `operation`, which found the ring ended as `end` says. */
  constructor(operation: string, end: RingEnd) {
    super(`${operation}: ${MESSAGES[end]}`);
    this.end = end;
  }
}

const MESSAGES: Record<RingEnd, string> = {
  closed: "the other side has closed the ring",
  died: "the process or worker that held the other side has died",
  "closed here": "this side of the ring is closed",
};
