import { SharedQueueFullError } from "../ipc/queue/mod.ts";

/** Exit codes of the process. */
export const EXIT_CODE = {
  done: 0,
  failed: 1,
  usage: 2,
  timedOut: 3,
  full: 4,
  missing: 5,
  exists: 6,
  interrupted: 130,
  terminated: 143,
} as const;

/** The same for people, at the end of every command's help. */
export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    failed; one line on standard error says why
  2    wrong usage: arguments, options or configuration
  3    not done, or nothing to receive, within --timeout
  4    the queue is full, with --when-full fail
  5    there is no such queue, or no supervisor
  6    the queue exists already
  130  stopped by SIGINT with work undone; 143: by SIGTERM`;

/** The arguments, options or configuration are wrong. */
export class UsageError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "UsageError";
}

/** The process was asked to stop. */
export class StoppedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "StoppedError";
  /** The signal. */
  readonly signal: "SIGINT" | "SIGTERM";

  /** For work that `signal` ended. */
  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

/** The reader of the output has closed it, as `head` does. */
export class OutputClosedError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "OutputClosedError";
}

/** A failure: `cause` is the error, and the message says more. */
export class CommandError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "CommandError";
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return exitCodeOf(error.cause);
  if (error instanceof OutputClosedError) return EXIT_CODE.done;
  if (error instanceof UsageError) return EXIT_CODE.usage;
  if (error instanceof StoppedError) {
    return error.signal === "SIGINT" ? EXIT_CODE.interrupted : EXIT_CODE.terminated;
  }
  if (error instanceof DOMException && error.name === "TimeoutError") return EXIT_CODE.timedOut;
  if (error instanceof SharedQueueFullError) return EXIT_CODE.full;
  if (error instanceof Deno.errors.NotFound) return EXIT_CODE.missing;
  if (error instanceof Deno.errors.AlreadyExists) return EXIT_CODE.exists;
  return EXIT_CODE.failed;
}

/** The message of anything thrown, in one line. */
export function lineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().replaceAll(/\s*\n\s*/g, ": ");
}
