/** A call whose process ended, or left, before it answered. */
export class ProcessEndedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "ProcessEndedError";
}

/** A task for which there is no room: as many wait as may. */
export class TaskPoolFullError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "TaskPoolFullError";

  /** For a task `name`, with so many before it. */
  constructor(name: string, waitingMax: number) {
    super(`run ${name}: ${waitingMax} tasks wait already, expected fewer`);
  }
}
