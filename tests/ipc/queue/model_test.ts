import { assertStrictEquals } from "@std/assert";
import { print } from "../../../scripts/support/terminal.ts";
import { summarize } from "./model/check.ts";
import { parseConfig } from "./model/config.ts";
import { explore } from "./model/explore.ts";
import { MUTANTS } from "./model/mutants.ts";

const run = (options: string) => explore(parseConfig(options.split(" ").filter((word) => word !== "")));

/** Small runs of the protocol as it is; `check.ts` takes larger ones. */
const SOUND: readonly (readonly [feature: string, options: string])[] = [
  ["slots and hints", "--messages 2 --crashes 1 --nacks 1"],
  ["two producers", "--producers 2 --crashes 1"],
  ["two consumers", "--consumers 2 --crashes 1"],
  ["priorities", "--slots 2 --messages 3 --lanes 2"],
  ["order by generation", "--slots 2 --messages 3 --any-slot --order generation"],
  ["order by previous", "--slots 2 --messages 3 --any-slot --order previous"],
  ["dead letters", "--consumers 2 --limit 1 --nacks 1"],
  ["dead letters after a death", "--limit 1 --crashes 1 --attaches 1 --nacks 1"],
  ["attaching", "--crashes 1 --attaches 1"],
  ["partitions and redelivery", "--slots 2 --messages 2 --consumers 2 --partitioned --nacks 1"],
  ["partitions and a death", "--messages 2 --consumers 2 --partitioned --crashes 1"],
  ["requests", "--requests --producers 2 --crashes 1"],
  ["requests given up", "--requests --consumers 2 --crashes 1 --cancels 1"],
  ["requests given up or dropped", "--requests --producers 2 --cancels 1 --drops"],
  ["requests, two deaths", "--requests --consumers 2 --crashes 2"],
  ["requests of an earlier session", "--requests --crashes 1 --attaches 1"],
  ["mailboxes", "--boxes 1 --messages 2 --crashes 1 --nacks 1"],
  ["waking", "--wake --messages 2"],
  ["waking one of two", "--wake --consumers 2"],
];

for (const [feature, options] of SOUND) {
  Deno.test(`queue protocol: every interleaving keeps every promise: ${feature}`, () => {
    const result = run(options);
    print(`${options}: ${summarize(result)}`);
    assertStrictEquals(result.broken, undefined, result.broken?.trace.join("\n"));
  });
}

for (const { name, options, breaks, what } of MUTANTS) {
  Deno.test(`queue protocol: the checker sees when ${what}`, () => {
    const result = run(`${options} --mutant ${name}`);
    print(`${name}: ${options}: ${summarize(result)}`);
    assertStrictEquals(result.broken?.property, breaks, result.broken?.trace.join("\n"));
  });
}
