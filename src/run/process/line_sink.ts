import { LogFile, type LogFileOptions } from "./log_file.ts";

/** Which of its two outputs a process has written to. */
export type OutputStream = "stdout" | "stderr";

/** Takes lines that a process has written. */
export interface LineSink {
  /** Takes a line, without its end. A promise says that there is enough for now, and resolves when there is room again. */
  write(stream: OutputStream, line: Uint8Array): Promise<void> | undefined;
  /** Resolves when all that was taken is written. */
  close(): Promise<void>;
}

/** Bytes that wait to be written at most; a writer of more is held up. */
const PENDING_BYTES_MAX = 256 * 1024;

/** Writes bytes in their order, and says when too many wait. */
export class ByteQueue {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #failing = false;
  #chunks: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;

  /**
   * `write` writes all it is given. What it throws is told once, until it writes again, and the bytes are thrown away: processes must
   * not stand still because a terminal is gone, or a disk full.
   */
  constructor(write: (bytes: Uint8Array) => Promise<void>, onFailure: (error: unknown) => void = () => {}) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Takes a chunk, which is the queue's from now on. */
  push(chunk: Uint8Array): Promise<void> | undefined {
    this.#chunks.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    this.#writing ??= this.#run();
    return this.#pendingBytes > PENDING_BYTES_MAX ? this.#writing : undefined;
  }

  /** Resolves when all is written. */
  async drained(): Promise<void> {
    await this.#writing;
  }

  async #run(): Promise<void> {
    // What comes in the same turn goes out together.
    await null;
    while (this.#chunks.length > 0) {
      const chunks = this.#chunks;
      this.#chunks = [];
      try {
        await this.#write(concatenate(chunks));
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) this.#onFailure(error);
        this.#failing = true;
      }
      this.#pendingBytes -= chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    }
    this.#writing = undefined;
  }
}

/** Puts `prefix` before each line, and passes it on to this process's own output. */
export class PrefixedSink implements LineSink {
  readonly #prefix: Uint8Array;
  readonly #queues: Readonly<Record<OutputStream, ByteQueue>>;

  /** `queues` may be shared with others: a line is never torn. */
  constructor(prefix: string, queues: Readonly<Record<OutputStream, ByteQueue>>) {
    this.#prefix = new TextEncoder().encode(prefix);
    this.#queues = queues;
  }

  write(stream: OutputStream, line: Uint8Array): Promise<void> | undefined {
    const prefix = this.#prefix;
    const chunk = new Uint8Array(prefix.byteLength + line.byteLength + 1);
    chunk.set(prefix);
    chunk.set(line, prefix.byteLength);
    chunk[chunk.byteLength - 1] = 10;
    return this.#queues[stream].push(chunk);
  }

  async close(): Promise<void> {
    await Promise.all([this.#queues.stdout.drained(), this.#queues.stderr.drained()]);
  }
}

/** Both outputs of this process. */
export function ownOutput(): Readonly<Record<OutputStream, ByteQueue>> {
  const queueOf = (stream: { write(bytes: Uint8Array): Promise<number> }) =>
    new ByteQueue(async (bytes) => {
      for (let written = 0; written < bytes.byteLength;) {
        written += await stream.write(bytes.subarray(written));
      }
    });
  return { stdout: queueOf(Deno.stdout), stderr: queueOf(Deno.stderr) };
}

/** Lines to a file that is rotated; those of both streams, in the order in which they came. */
export class FileSink implements LineSink {
  readonly #file: LogFile;
  readonly #queue: ByteQueue;

  /** Opens the file with the first line; `onFailure` is told when lines are lost. */
  constructor(path: string, options: LogFileOptions, onFailure?: (error: unknown) => void) {
    this.#file = new LogFile(path, options);
    this.#queue = new ByteQueue((bytes) => this.#file.write(bytes), onFailure);
  }

  write(_stream: OutputStream, line: Uint8Array): Promise<void> | undefined {
    const chunk = new Uint8Array(line.byteLength + 1);
    chunk.set(line);
    chunk[line.byteLength] = 10;
    return this.#queue.push(chunk);
  }

  async close(): Promise<void> {
    await this.#queue.drained();
    this.#file.close();
  }
}

/** Takes lines, and forgets them. */
export const nullSink: LineSink = {
  write: () => undefined,
  close: () => Promise.resolve(),
};

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
