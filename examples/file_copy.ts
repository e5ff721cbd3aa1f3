#!/usr/bin/env -S deno run --allow-read --allow-write --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Copies a file, several reads and writes at a time, and flushes the copy to the disk.
 *
 * Usage: examples/file_copy.ts FROM TO [--driver auto|uring|deno]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Driver, type DriverChoice, type DriverFile, Reactor } from "@millrace/millrace/reactor";

const USAGE = "usage: file_copy FROM TO [--driver auto|uring|deno]";
const USAGE_EXIT_CODE = 2;
const STOPPED_EXIT_CODE = 130;
const PIECE_BYTES = 256 * 1024;
const PIECES_AT_ONCE = 4;

function fail(error: unknown, exitCode: number): never {
  console.error(`file_copy: ${error instanceof Error ? error.message : error}`);
  Deno.exit(exitCode);
}

function readOptions(args: string[]): { from: string; to: string; driver: DriverChoice } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      driver: { type: "string", default: "auto" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const { driver } = values;
  if (driver !== "auto" && driver !== "uring" && driver !== "deno") {
    throw new TypeError(`--driver is "${driver}", expected auto, uring or deno`);
  }
  if (positionals.length !== 2) throw new TypeError(`${positionals.length} paths given, expected two`);
  const [from, to] = positionals;
  return { from, to, driver };
}

/** Writes all of `piece`; one write may take less. */
async function writeAll(file: DriverFile, piece: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < piece.byteLength;) {
    written += await file.writeAt(piece.subarray(written), position + written);
  }
}

/**
 * Copies `from` to `to`, which must not exist; returns how many bytes. A copy that fails or is stopped leaves nothing
 * behind.
 */
async function copy(driver: Driver, from: string, to: string, signal: AbortSignal): Promise<number> {
  const source = await driver.openFile(from, { read: true });
  try {
    if ((await Deno.stat(from)).isDirectory) {
      throw new Deno.errors.IsADirectory(`copy ${from}: it is a directory`);
    }
    const target = await driver.openFile(to, { write: true, createNew: true });
    let complete = false;
    try {
      let next = 0;
      let end = Infinity;
      const copyPieces = async () => {
        const piece = new Uint8Array(PIECE_BYTES);
        while (next < end) {
          signal.throwIfAborted();
          const start = next;
          next += PIECE_BYTES;
          let filled = 0;
          while (filled < PIECE_BYTES) {
            const count = await source.readAt(piece.subarray(filled), start + filled);
            if (count === 0) break;
            filled += count;
          }
          if (filled < PIECE_BYTES) end = Math.min(end, start + filled);
          await writeAll(target, piece.subarray(0, filled), start);
        }
      };
      const copying = Array.from({ length: PIECES_AT_ONCE }, copyPieces);
      // All of them have to end before the files are closed.
      await Promise.allSettled(copying);
      await Promise.all(copying);
      await target.sync();
      signal.throwIfAborted();
      complete = true;
      return end;
    } finally {
      await target.close();
      if (!complete) await Deno.remove(to);
    }
  } finally {
    await source.close();
  }
}

let options;
try {
  options = readOptions(Deno.args);
} catch (error) {
  fail(`${error instanceof Error ? error.message : error}; ${USAGE}`, USAGE_EXIT_CODE);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(name, () => stop.abort(`stopped by ${name}, the copy is removed`));
}
try {
  using reactor = Reactor.open({ driver: options.driver });
  const byteLength = await copy(reactor.driver, options.from, options.to, stop.signal);
  console.log(`copied ${byteLength} bytes (driver: ${reactor.driver.name})`);
  Deno.exit(0);
} catch (error) {
  fail(error, stop.signal.aborted ? STOPPED_EXIT_CODE : 1);
}
