#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi --allow-run
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Large payloads from one process to another without a copy: writes pictures into boxes of shared memory, and hands each over with a message
 * of a queue. The second process, which is this program too, reads them in place.
 *
 * Usage: examples/mailbox.ts [--count N] [--mib N]
 *
 * @module
 */
import { MAILBOX_SIZES_MIB, type MailboxSizeMib, SharedMailbox, SharedQueue } from "@millrace/millrace/queue";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("mailbox", "[--count N] [--mib N]");
const STOPPED_EXIT_CODE = 130;
/** Prefix of the names of this program's queues. */
const PREFIX = "mailbox-example.";
/** Pictures that may wait at once. */
const BOXES = 4;
const MIB = 2 ** 20;
/** After so long without a picture the first process must have died. */
const SILENCE_MS_MAX = 10_000;

interface Options {
  readonly count: number;
  readonly mib: MailboxSizeMib;
  /** The queue to read from: set in the second process. */
  readonly from: string | undefined;
}

/** The second process: reads one byte of each page, and reports how many. */
async function read(name: string, count: number, signal: AbortSignal): Promise<void> {
  using queue = SharedQueue.connect(name);
  using mailbox = SharedMailbox.connect(queue);
  let sum = 0;
  for (let number = 0; number < count; number++) {
    using delivery = await queue.reserve({ signal, timeoutMs: SILENCE_MS_MAX });
    const bytes = mailbox.open(delivery)?.bytes ?? new Uint8Array();
    for (let at = 0; at < bytes.length; at += 4096) {
      if (bytes[at] !== (number & 0xff)) throw new Error(`picture ${number} is another one`);
      sum++;
    }
    // Frees the box. If this process had died before, another one would have received message and box.
    delivery.ack();
  }
  console.log(`${count} pictures read in place, ${sum} pages read`);
}

/** The first process: creates queue and mailbox, starts the second, and writes until `stop` aborts. */
async function write({ count, mib }: Options, stop: AbortSignal): Promise<void> {
  SharedQueue.removeAbandoned({ prefix: PREFIX });
  const name = `${PREFIX}${Deno.pid}`;
  using queue = SharedQueue.create(name, { capacity: 16, messageBytesMax: 64 });
  try {
    using mailbox = SharedMailbox.create(queue, { boxes: { [mib]: BOXES } });
    await using reader = startReader(name, count);
    const failed = new AbortController();
    const ended = reader.status.then(({ success }) => {
      if (!success) failed.abort(new Error("the second process ended before it was done"));
    });
    const signal = AbortSignal.any([stop, failed.signal]);
    const startMs = performance.now();
    for (let number = 0; number < count; number++) {
      const box = await mailbox.acquire(mib * MIB, { signal });
      box.bytes.fill(number);
      await mailbox.send(box, `picture ${number}`, { signal });
    }
    await Promise.race([ended, aborted(signal)]);
    signal.throwIfAborted();
    const seconds = (performance.now() - startMs) / 1000;
    const gibPerSecond = (count * mib / 1024 / seconds).toFixed(1);
    console.log(`${count} pictures of ${mib} MiB written in place and handed over: ${gibPerSecond} GiB/s`);
  } finally {
    SharedQueue.unlink(name);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function startReader(name: string, count: number): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-env=MILLRACE_NATIVE", "--allow-ffi"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, new URL(import.meta.url).pathname, "--from", name, "--count", `${count}`],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

const options = program.options(
  {
    count: { type: "string", default: "200" },
    mib: { type: "string", default: "5" },
    from: { type: "string" },
  },
  ({ count, mib, from }): Options => {
    const size = MAILBOX_SIZES_MIB.find((size) => String(size) === mib);
    if (size === undefined) {
      throw new RangeError(`--mib is "${mib}", expected one of ${MAILBOX_SIZES_MIB.join(", ")}`);
    }
    return { count: wholeNumber("--count", count, 1, 1_000_000), mib: size, from };
  },
);

class Stopped extends Error {}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(name, () => stop.abort(new Stopped(`stopped by ${name}`)));
}
try {
  if (options.from === undefined) await write(options, stop.signal);
  else await read(options.from, options.count, stop.signal);
} catch (error) {
  // Ctrl-C reaches both processes; the one that cleans up reports it.
  if (options.from !== undefined && stop.signal.aborted) Deno.exit(STOPPED_EXIT_CODE);
  const reason = stop.signal.aborted ? stop.signal.reason : error;
  program.fail(reason, reason instanceof Stopped ? STOPPED_EXIT_CODE : 1);
}
// The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
Deno.exit(0);
