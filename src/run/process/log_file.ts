import { dirname } from "node:path";

/** When a {@linkcode LogFile} is rotated. */
export interface LogFileOptions {
  /** Bytes of a file at most, but for a single line that is longer. */
  readonly bytesMax: number;
  /** Files at most, the newest included. */
  readonly filesMax: number;
}

const LINE_FEED = 10;

/**
 * A file that grows by whole lines, and is rotated: before a line would make it longer than `bytesMax` it is renamed to `….1`, what
 * was that to `….2`, and so on; the oldest goes.
 */
export class LogFile {
  readonly #path: string;
  readonly #options: LogFileOptions;
  #file: Deno.FsFile | undefined;
  #byteLength = 0;

  /** Opens it with the first line; its directory is made if it is not there. */
  constructor(path: string, options: LogFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Writes whole lines, one `write()` at a time. */
  async write(lines: Uint8Array): Promise<void> {
    let start = 0;
    while (start < lines.byteLength) {
      const file = this.#file ?? await this.#open();
      const room = this.#options.bytesMax - this.#byteLength;
      const end = wholeLines(lines, start, room, this.#byteLength === 0);
      if (end === start) {
        await this.#rotate();
        continue;
      }
      while (start < end) {
        const written = await file.write(lines.subarray(start, end));
        start += written;
        this.#byteLength += written;
      }
    }
  }

  /** Closes it. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<Deno.FsFile> {
    await Deno.mkdir(dirname(this.#path), { recursive: true });
    this.#file = await Deno.open(this.#path, { create: true, append: true, mode: 0o640 });
    this.#byteLength = (await this.#file.stat()).size;
    return this.#file;
  }

  async #rotate(): Promise<void> {
    this.close();
    const { filesMax } = this.#options;
    if (filesMax === 1) await Deno.truncate(this.#path);
    for (let number = filesMax - 1; number >= 1; number--) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      try {
        await Deno.rename(from, `${this.#path}.${number}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
}

/** Where the lines from `start` end that fit into `room` bytes; at least one when `first`. */
function wholeLines(lines: Uint8Array, start: number, room: number, first: boolean): number {
  if (lines.byteLength - start <= room) return lines.byteLength;
  const fitting = room > 0 ? lines.lastIndexOf(LINE_FEED, start + room - 1) + 1 : 0;
  if (fitting > start) return fitting;
  if (!first) return start;
  const end = lines.indexOf(LINE_FEED, start);
  return end < 0 ? lines.byteLength : end + 1;
}
