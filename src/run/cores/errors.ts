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

/** A call that nobody answers: its group has ended, or is being started anew. A death that is the reason is the `cause`. */
export class CoresClosedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "CoresClosedError";
  /** Whether the group is being started anew after the death of a core, so that calls can be made again before long. */
  readonly restarting: boolean;

  /** For `operation`. */
  constructor(operation: string, options: CoresClosedErrorOptions = {}) {
    const { restarting = false } = options;
    super(`${operation}: the group of cores ${restarting ? "is being started anew" : "has ended"}`, options);
    this.restarting = restarting;
  }
}

/** Options of {@linkcode CoresClosedError}. */
export interface CoresClosedErrorOptions extends ErrorOptions {
  /**
   * See {@linkcode CoresClosedError.restarting}.
   *
   * @default {false}
   */
  readonly restarting?: boolean;
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
