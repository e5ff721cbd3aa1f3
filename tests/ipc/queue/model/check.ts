/**
 * Explores one configuration of the queue's protocol and prints what it found:
 * `deno run tests/ipc/queue/model/check.ts --slots 2 --producers 2 --crashes 1 [--mutant no-scan]`.
 * Exits with 1 when a property is broken.
 */
import { print } from "../../../../scripts/support/terminal.ts";
import { describeConfig, parseConfig } from "./config.ts";
import { explore, type Result } from "./explore.ts";

/** One line: what was explored and what came of it. */
export function summarize(result: Result): string {
  const { states, edges, seconds, broken } = result;
  return `${states} states, ${edges} edges, ${seconds.toFixed(1)} s: ${broken?.message ?? "nothing broken"}`;
}

if (import.meta.main) {
  const config = parseConfig(Deno.args);
  const result = explore(config);
  print(`${describeConfig(config)}: ${summarize(result)}`);
  for (const step of result.broken?.trace ?? []) print(`  ${step}`);
  Deno.exitCode = result.broken === undefined ? 0 : 1;
}
