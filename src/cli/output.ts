import { CommandError, lineOf, OutputClosedError } from "./exit_codes.ts";

/** Milliseconds that a write gets to end after the process was asked to stop. */
export const OUTPUT_GRACE_MS = 250;

/** Takes bytes, and returns how many it took, as `Deno.stdout` does. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

const encoder = new TextEncoder();

/** Standard output. What a call has written is with the system when the call resolves; there is no buffer. */
export class Output {
  readonly #sink: ByteSink;
  readonly #signal: AbortSignal;

  /** Writes to `sink`, until `signal` aborts. */
  constructor(sink: ByteSink, signal: AbortSignal) {
    this.#sink = sink;
    this.#signal = signal;
  }

  /**
   * Writes all of `bytes`.
   *
   * @throws {OutputClosedError} when the reader has closed the output
   * @throws {CommandError} when the bytes cannot be written
   * @throws the reason of the signal, when it aborts and the reader accepts nothing
   */
  async write(bytes: Uint8Array): Promise<void> {
    const writing = this.#writeAll(bytes);
    const giveUp = Promise.withResolvers<never>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A message whose line has been written completely shall be acknowledged, also when the signal comes in between.
    const onAbort = (): void => {
      timer = setTimeout(() => giveUp.reject(this.#signal.reason), OUTPUT_GRACE_MS);
    };
    if (this.#signal.aborted) onAbort();
    else this.#signal.addEventListener("abort", onAbort);
    try {
      await Promise.race([writing, giveUp.promise]);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", onAbort);
      writing.catch(() => {});
    }
  }

  /** Writes `text` and the end of a line. */
  async line(text: string): Promise<void> {
    await this.write(encoder.encode(`${text}\n`));
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#sink.write(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) {
        throw new OutputClosedError("write to standard output: its reader has closed it", { cause: error });
      }
      throw new CommandError(`write to standard output: ${lineOf(error)}`, { cause: error });
    }
  }
}
