/**
 * `deno task bench [NAME…] [--json] [--rounds N] [--seconds N] [--only ID,…]`: measures Millrace beside its peers, on this machine,
 * in the same run. Tables on standard output, or one JSON document with `--json`; progress on standard error.
 *
 * Ends with 2 when an argument means nothing, with 1 when a contestant that was started broke, with 130 after Ctrl-C.
 */
import { ChildProcess } from "./child_process.ts";
import { commandLine, denoExecutable } from "./command.ts";
import type { BenchContext } from "./context.ts";
import { contestantIds } from "./contestants.ts";
import { chooseCores } from "./cores.ts";
import { benchmarkCoreCalls } from "./core_calls.ts";
import { benchmarkEcho } from "./echo.ts";
import { benchmarkFfi } from "./ffi.ts";
import { benchmarkHttp } from "./http.ts";
import { benchmarkIdle } from "./idle.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { parseOptions, UsageError } from "./options.ts";
import { benchmarkProcess } from "./process.ts";
import { benchmarkQueue } from "./queue.ts";
import { benchmarkRing } from "./ring.ts";
import { formatReport, type Report, type ReportSummary, summarize } from "./report.ts";
import { benchmarkTimers } from "./timers.ts";

/** Every benchmark by its name: each yields a report per table. */
const benchmarks: Readonly<Record<string, (context: BenchContext) => AsyncGenerator<Report>>> = {
  http: benchmarkHttp,
  echo: benchmarkEcho,
  idle: benchmarkIdle,
  timers: benchmarkTimers,
  ffi: benchmarkFfi,
  queue: benchmarkQueue,
  process: benchmarkProcess,
  ring: benchmarkRing,
  cores: benchmarkCoreCalls,
};
const names = Object.keys(benchmarks);

const usage = `usage: deno task bench [NAME…] [options]

  NAME           ${names.join(", ")}; all of them when none is named
  --rounds N     rounds; every contestant runs once in each (default 3)
  --seconds N    seconds of load per contestant and round, in http and echo (default 4)
  --only ID,…    only these contestants: ${contestantIds().join(", ")}
  --json         one JSON document in place of tables
`;

const [codeFailed, codeUsage, codeInterrupted] = [1, 2, 130];

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, names, contestantIds());
  if (options.help) {
    print(usage);
    return 0;
  }
  if (Deno.build.os !== "linux") {
    throw new UsageError(`the benchmarks read /proc: expected Linux, not ${Deno.build.os}`);
  }
  const cores = await chooseCores();
  const machine = await describeMachine();
  const command = commandLine({ executable: denoExecutable(), args: ["task", "bench", ...args] });
  const context: BenchContext = { options, cores, progress: (line) => printError(`… ${line}`) };
  if (!options.json) {
    print(`${formatMachine(machine)}\ncommand   ${command}\ncores     ${cores.description}\n`);
  }

  const summaries: ReportSummary[] = [];
  const printed = new Set<string>();
  for (const name of options.names) {
    for await (const report of benchmarks[name](context)) {
      summaries.push(summarize(report));
      if (!options.json) print(`\n${formatReport(report, printed)}`);
    }
  }
  if (options.json) {
    const { rounds, seconds } = options;
    print(
      `${
        JSON.stringify(
          { command, machine, cores: cores.description, rounds, seconds, reports: summaries },
          null,
          2,
        )
      }\n`,
    );
  }
  const failures = summaries.flatMap(({ contestants }) =>
    contestants.filter(({ state }) => state === "failed")
  );
  return failures.length === 0 ? 0 : codeFailed;
}

function print(text: string): void {
  writeAll(Deno.stdout, text);
}

function printError(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
}

/** What was started is ended by its identifier, however the benchmarks end. */
function endOn(signal: Deno.Signal): void {
  Deno.addSignalListener(signal, async () => {
    await ChildProcess.stopAll();
    printError(`bench: ended by ${signal}`);
    Deno.exit(codeInterrupted);
  });
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) endOn(signal);
  let code = codeFailed;
  try {
    code = await main(Deno.args);
  } catch (error) {
    if (error instanceof UsageError) code = codeUsage;
    printError(`bench: ${error instanceof Error ? error.message : error}`);
  } finally {
    await ChildProcess.stopAll();
  }
  Deno.exit(code);
}
