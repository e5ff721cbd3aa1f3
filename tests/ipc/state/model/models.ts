import type { Machine } from "./machine.ts";
import { type PermitConfig, PermitModel } from "./permit_model.ts";
import { type PoolConfig, PoolModel } from "./pool_model.ts";
import { type StateConfig, StateModel } from "./state_model.ts";

/** The smallest run of each model. */
const STATE: StateConfig = {
  processes: 2,
  crashes: 0,
  mutant: "",
  blocks: 3,
  keys: 1,
  changes: 1,
  deletes: false,
  reads: 0,
  long: false,
};
const PERMIT: PermitConfig = {
  processes: 2,
  crashes: 0,
  mutant: "",
  permits: 1,
  rounds: 1,
  givesUp: false,
  sleeps: false,
};
const POOL: PoolConfig = { processes: 2, crashes: 0, mutant: "", blocks: 1, rounds: 1 };

/** What can be explored. */
export const MODELS = {
  state: (config: Partial<StateConfig>): Machine => new StateModel({ ...STATE, ...config }),
  permits: (config: Partial<PermitConfig>): Machine => new PermitModel({ ...PERMIT, ...config }),
  pool: (config: Partial<PoolConfig>): Machine => new PoolModel({ ...POOL, ...config }),
} as const;

/** The name of a model. */
export type ModelName = keyof typeof MODELS;

/** A machine by the words of a command line: `--changes 2 --long --mutant no-tag`. */
export function machineOf(name: ModelName, options: string): Machine {
  const standard: Record<string, unknown> = { ...{ state: STATE, permits: PERMIT, pool: POOL }[name] };
  const config = { ...standard };
  const words = options.split(" ").filter((word) => word !== "");
  for (let at = 0; at < words.length; at++) {
    const option = words[at].replace(/^--/, "").replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    switch (typeof standard[option]) {
      case "boolean":
        config[option] = true;
        break;
      case "number":
        config[option] = Number(words[++at]);
        break;
      case "string":
        config[option] = words[++at];
        break;
      default:
        throw new TypeError(`parse the options of ${name}: ${words[at]} is unknown`);
    }
  }
  return MODELS[name](config as never);
}

/** A mistake in a protocol, a small run that shows it, and the property that it breaks there. */
export interface Mutant {
  readonly model: ModelName;
  readonly name: string;
  readonly options: string;
  readonly breaks: string;
  readonly what: string;
}

/** Every one of them must be caught. */
export const MUTANTS: readonly Mutant[] = [
  mutant("state", "no-tag", "--changes 2", "stuck", "a bucket's word is compared without its tag"),
  mutant(
    "state",
    "read-no-check",
    "--blocks 2 --changes 3 --reads 1",
    "torn",
    "a reader does not look again",
  ),
  mutant(
    "state",
    "long-no-look",
    "--blocks 2 --changes 3 --reads 1 --long",
    "torn",
    "the reader of a long value takes the word of a block that is another's by then",
  ),
  mutant(
    "state",
    "same-generation",
    "--blocks 2 --changes 3 --reads 1 --long",
    "torn",
    "a block that is written to keeps its generation",
  ),
  mutant(
    "state",
    "no-second-look",
    "",
    "stuck",
    "who has published does not look whether it was replaced meanwhile",
  ),
  mutant("state", "take-reread", "--changes 2", "broken", "a block is taken by its word as it is by then"),
  mutant(
    "state",
    "take-any-generation",
    "--changes 2",
    "broken",
    "who has replaced a record takes its block although somebody else has had it meanwhile",
  ),
  mutant("state", "free-published", "--crashes 1", "broken", "recovery frees what the dead have published"),
  mutant(
    "state",
    "no-audit",
    "--crashes 1 --changes 2",
    "stuck",
    "nobody looks for what the dead had taken from the bucket",
  ),
  mutant("state", "no-liveness", "", "broken", "recovery does not ask whether the owner lives"),
  mutant("permits", "no-liveness", "", "robbed", "recovery does not ask whether the holder lives"),
  mutant("permits", "forgets-death", "--crashes 1", "untold", "who gets it is not told of the death"),
  mutant(
    "permits",
    "handed-is-held",
    "--processes 3 --crashes 1",
    "untold",
    "who died before it knew that it had it counts as one who had it",
  ),
  mutant("permits", "dead-waits", "--processes 3 --crashes 1", "stuck", "the bit of a dead one stays"),
  mutant("permits", "bit-late", "--sleeps", "stuck", "who waits says so after it has looked"),
  mutant("permits", "no-second-look", "--sleeps", "stuck", "who frees it does not look again who waits"),
  mutant(
    "permits",
    "no-look-back",
    "--processes 3 --sleeps --gives-up",
    "stuck",
    "who gives up does not look what was handed to it",
  ),
  mutant(
    "permits",
    "handed-is-taken",
    "--processes 3 --crashes 1 --gives-up",
    "stuck",
    "what was handed to one who does not wait any more is left there",
  ),
  mutant(
    "pool",
    "take-any-generation",
    "--rounds 2",
    "stale",
    "a reference does not say which offer it is of",
  ),
  mutant(
    "pool",
    "withdraw-same-generation",
    "--rounds 2",
    "stale",
    "an offer that was taken back is made again",
  ),
  mutant("pool", "take-store", "--processes 3", "robbed", "a block is taken without a comparison"),
  mutant("pool", "no-liveness", "", "robbed", "recovery does not ask whether the owner lives"),
  mutant("pool", "no-sweep", "--crashes 1", "stuck", "what the dead have stays theirs"),
];

function mutant(model: ModelName, name: string, options: string, breaks: string, what: string): Mutant {
  return { model, name, options, breaks, what };
}
