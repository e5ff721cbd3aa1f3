import { assertStrictEquals } from "@std/assert";
import { print } from "../../../scripts/support/terminal.ts";
import { explore, summarize } from "./model/machine.ts";
import { machineOf, type ModelName, MUTANTS } from "./model/models.ts";

/** Small runs of the protocols as they are; `check.ts` takes larger ones. */
const SOUND: readonly (readonly [model: ModelName, feature: string, options: string])[] = [
  ["state", "a death at any step", "--changes 2 --crashes 1"],
  ["state", "keys set and deleted, and a death", "--deletes --changes 1 --crashes 1"],
  ["state", "two keys in one bucket", "--keys 2 --blocks 4 --changes 1"],
  [
    "state",
    "two keys in one bucket, deleted as well, and a death",
    "--keys 2 --blocks 4 --deletes --crashes 1",
  ],
  ["state", "a reader", "--blocks 2 --changes 3 --reads 1"],
  ["state", "a reader of long values", "--blocks 2 --changes 3 --reads 1 --long"],
  ["permits", "a lock, and a death", "--rounds 2 --crashes 1"],
  ["permits", "a lock of three", "--processes 3"],
  ["permits", "who gives up", "--crashes 1 --gives-up --rounds 2"],
  ["permits", "sleep without time-outs", "--processes 3 --sleeps --gives-up"],
  ["permits", "two permits", "--processes 3 --permits 2"],
  ["pool", "offers, and a death", "--rounds 2 --crashes 1"],
  ["pool", "two blocks", "--blocks 2 --rounds 2"],
  ["pool", "three openers, and a death", "--processes 3 --crashes 1"],
];

for (const [model, feature, options] of SOUND) {
  Deno.test(`${model} protocol: every interleaving keeps every promise: ${feature}`, () => {
    const result = explore(machineOf(model, options));
    print(`${model} ${options}: ${summarize(result)}`);
    assertStrictEquals(result.broken, undefined, result.broken?.trace.join("\n"));
  });
}

for (const { model, name, options, breaks, what } of MUTANTS) {
  Deno.test(`${model} protocol: the checker sees when ${what}`, () => {
    const result = explore(machineOf(model, `${options} --mutant ${name}`));
    print(`${model} ${name}: ${options}: ${summarize(result)}`);
    assertStrictEquals(result.broken?.property, breaks, result.broken?.trace.join("\n"));
  });
}
