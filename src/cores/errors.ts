/** A core ended, or never began. */
export class CoreError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "CoreError";
  /** Which one. */
  readonly core: number;

  /** Core `core` did what `message` says. */
  constructor(message: string, core: number, options?: ErrorOptions) {
    super(message, options);
    this.core = core;
  }
}

/** A call whose group has ended, so that nobody answers it. */
export class CoresClosedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "CoresClosedError";

  /** For `operation`. */
  constructor(operation: string, options?: ErrorOptions) {
    super(`${operation}: the group of cores has ended`, options);
  }
}

/** A call that was not made because too much is under way already. Shed the load, or try again later. */
export class CoreBusyError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "CoreBusyError";
  /** Whom it was for. */
  readonly core: number;

  /** For `operation`, on core `core`, which found what `message` says. */
  constructor(operation: string, core: number, message: string) {
    super(`${operation}: ${message}`);
    this.core = core;
  }
}
