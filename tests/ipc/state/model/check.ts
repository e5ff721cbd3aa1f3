/**
 * Explores one configuration of a model and prints what it found: the model, then its options.
 * `deno run tests/ipc/state/model/check.ts state --processes 2 --changes 2 --crashes 1 [--mutant no-tag]`.
 * Exits with 1 when a property is broken.
 */
import { print } from "../../../../scripts/support/terminal.ts";
import { explore, summarize } from "./machine.ts";
import { machineOf, type ModelName, MODELS } from "./models.ts";

const [name, ...options] = Deno.args;
if (!(name in MODELS)) {
  throw new TypeError(`check: ${name} is no model, expected ${Object.keys(MODELS).join(", ")}`);
}
const result = explore(machineOf(name as ModelName, options.join(" ")));
print(`${Deno.args.join(" ")}: ${summarize(result)}`);
for (const step of result.broken?.trace ?? []) print(`  ${step}`);
Deno.exitCode = result.broken === undefined ? 0 : 1;
