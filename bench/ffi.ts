import { ChildProcess } from "./child_process.ts";
import { denoExecutable } from "./command.ts";
import type { BenchContext } from "./context.ts";
import { onCore } from "./cores.ts";
import { nativeStatus } from "../ffi/mod.ts";
import type { Availability } from "./peers.ts";
import type { Metric, Report } from "./report.ts";
import { type Contestant, runRounds } from "./rounds.ts";

/** One kind of call, timed once. */
export interface FfiRound {
  readonly nanoseconds: number;
}

/** Kinds of call by the name that `peers/ffi_call.ts` knows them by; the first is what the others are compared with. */
const labels: Readonly<Record<string, string>> = {
  "none": "no parameter, i32 result",
  "i32": "i32",
  "i32-u32x5": "i32 and five u32",
  "buffer-u32x2": "buffer and two u32",
  "buffer-u32x2-wrapped": "the same through ffi/",
  "two-buffers": "two buffers and four u32",
  "f64-result": "clock: f64 result",
  "f64-result-wrapped": "the same through ffi/",
  "buffer-1KiB": "CRC-32C of 1 KiB",
  "http-request": "parsing one HTTP request",
  "system-call": "a futex wake of nobody",
  "u64-bigint": "two u64 given bigints",
  "u64-number": "two u64 given numbers",
};

const measuredMs = 400;

const metrics: readonly Metric<FfiRound>[] = [
  {
    key: "nanoseconds",
    title: "ns/call",
    digits: 1,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ nanoseconds }) => nanoseconds,
  },
];

/** What a call into the native library costs, by the kinds of its parameters. */
export async function* benchmarkFfi(context: BenchContext): AsyncGenerator<Report<FfiRound>> {
  const contestants = Object.entries(labels).map(([id, label]): Contestant => ({
    id,
    label,
    find: () => find(id),
  }));
  const outcomes = await runRounds<FfiRound>(
    contestants,
    async (command) => {
      await using process = ChildProcess.start(onCore(command, context.cores.server, context.cores));
      const { success } = await process.ended;
      if (!success) throw new Error(await process.describeEnd());
      return JSON.parse(process.output);
    },
    // Kinds of call are no contestants: --only does not choose among them.
    { ...context.options, only: undefined, onProgress: (line) => context.progress(`ffi: ${line}`) },
  );
  yield {
    name: "ffi",
    title: "calls from TypeScript into the native library",
    method:
      `a loop of one kind of call in a process of its own, for ${measuredMs} ms; ${context.cores.description}`,
    metrics,
    outcomes,
    notes: [
      "the first six are refused or have nothing to do, so their time is the call's own; a loop turn is in every figure",
      "clock, CRC-32C and parsing include the work; futex wake and both u64 calls include a system call, which fails for u64",
    ],
  };
}

function find(kind: string): Promise<Availability> {
  const status = nativeStatus();
  if (!status.available) return Promise.resolve({ state: "unavailable", reason: status.reason });
  const args = ["run", "-A", "bench/peers/ffi_call.ts", kind, String(measuredMs)];
  return Promise.resolve({ state: "ready", command: { executable: denoExecutable(), args } });
}
