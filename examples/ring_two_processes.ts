#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi --allow-run
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Messages from one process to another through a ring in shared memory: starts itself a second time, reads what that process writes, and
 * prints the rate. Kill either process, and the other reports that it died.
 *
 * Usage: examples/ring_two_processes.ts [--count N] [--bytes N]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { SharedMemory } from "@millrace/millrace/memory";
import { SIGNAL_ECHO_MS, waitForSignal } from "@millrace/millrace/reactor";
import { RingClosedError, SpscRing } from "@millrace/millrace/ring";

const USAGE = "usage: ring_two_processes [--count N] [--bytes N]";
const USAGE_EXIT_CODE = 2;
const STOPPED_EXIT_CODE = 130;
/** Prefix of the names of this program's regions. */
const PREFIX = "ring_two_processes.";
const CAPACITY_BYTES = 1 << 20;
/** Messages written before the reader is notified. */
const BATCH = 64;
/** A loop that never waits would delay signals: after so many messages they get a turn. */
const TURN_MS = 50;

interface Options {
  readonly count: number;
  readonly bytes: number;
  /** The region to write into: set in the second process. */
  readonly into: string | undefined;
}

function fail(error: unknown, exitCode: number): never {
  console.error(`ring_two_processes: ${error instanceof Error ? error.message : error}`);
  Deno.exit(exitCode);
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "5000000" },
      bytes: { type: "string", default: "64" },
      into: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const count = wholeNumber("--count", values.count, 1, 2 ** 31 - 1);
  return { count, bytes: wholeNumber("--bytes", values.bytes, 4, CAPACITY_BYTES / 4), into: values.into };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new RangeError(`${name} is "${text}", expected a whole number from ${min} to ${max}`);
}

/** The second process: every message begins with its number. */
function write({ count, bytes }: Options, name: string): void {
  using memory = SharedMemory.connect(name);
  using producer = SpscRing.attach(memory).producer();
  const message = new Uint8Array(bytes);
  const view = new DataView(message.buffer);
  for (let number = 0; number < count; number++) {
    view.setUint32(0, number);
    if (!producer.tryWrite(message)) producer.writeSync(message);
    if (number % BATCH === BATCH - 1) producer.flush();
  }
}

/** The first process: creates the ring, starts the second and reads until that is done, or `stop` aborts. */
async function read({ count, bytes }: Options, stop: AbortSignal): Promise<void> {
  // Those of processes that were killed before they could remove them.
  SharedMemory.removeAbandoned({ prefix: PREFIX });
  const name = `${PREFIX}${Deno.pid}`;
  using memory = SharedMemory.create(name, {
    byteLength: SpscRing.byteLengthFor({ capacityBytes: CAPACITY_BYTES }),
  });
  try {
    using consumer = SpscRing.create({ capacityBytes: CAPACITY_BYTES, memory }).consumer();
    await using writer = startWriter(name, count, bytes);
    const failed = new AbortController();
    writer.status.then(({ success }) => {
      if (!success) failed.abort(new Error("the second process ended before it was done"));
    });
    const signal = AbortSignal.any([stop, failed.signal]);
    let received = 0;
    let startMs = 0;
    let turnMs = performance.now();
    while (await consumer.readable({ signal })) {
      if (received === 0) startMs = performance.now();
      if (performance.now() - turnMs > TURN_MS) {
        await pause(0);
        turnMs = performance.now();
      }
      consumer.drain((_message, at) => {
        const number = consumer.view.getUint32(at);
        if (number !== received) throw new Error(`message ${number} came, expected ${received}`);
        received++;
      });
    }
    const seconds = (performance.now() - startMs) / 1000;
    await writer.status;
    const millions = (received / seconds / 1e6).toFixed(1);
    console.log(`${received} messages of ${bytes} bytes, in order: ${millions} million a second`);
  } finally {
    SharedMemory.unlink(name);
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Reads, and turns a signal into its name as the error. */
async function readUntilStopped(options: Options): Promise<void> {
  const stop = new AbortController();
  const over = new AbortController();
  waitForSignal(["SIGINT", "SIGTERM"], { signal: over.signal })
    .then((name) => stop.abort(new Stopped(`stopped by ${name}`)), () => {});
  try {
    await read(options, stop.signal);
  } catch (error) {
    // Ctrl-C reaches both processes, and this one may see the end of the other first.
    if (!stop.signal.aborted) await pause(SIGNAL_ECHO_MS);
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    over.abort();
  }
}

class Stopped extends Error {}

function startWriter(name: string, count: number, bytes: number): Deno.ChildProcess {
  const file = new URL(import.meta.url).pathname;
  const options = ["--into", name, "--count", String(count), "--bytes", String(bytes)];
  const permissions = ["--allow-read", "--allow-env=MILLRACE_NATIVE", "--allow-ffi"];
  return new Deno.Command(Deno.execPath(), { args: ["run", ...permissions, file, ...options] }).spawn();
}

let options;
try {
  options = readOptions(Deno.args);
} catch (error) {
  fail(`${error instanceof Error ? error.message : error}; ${USAGE}`, USAGE_EXIT_CODE);
}
try {
  if (options.into === undefined) await readUntilStopped(options);
  else write(options, options.into);
} catch (error) {
  if (error instanceof Stopped) fail(error, STOPPED_EXIT_CODE);
  const died = error instanceof RingClosedError && error.end === "died";
  const other = options.into === undefined ? "second" : "first";
  fail(died ? `the ${other} process died before it was done` : error, 1);
}
