import type { Command } from "./command.ts";
import type { Availability } from "./peers.ts";

/** One of those compared. */
export interface Contestant {
  /** Short name for `--only` and for JSON. */
  readonly id: string;
  /** Name in the tables. */
  readonly label: string;
  /** How it differs from the others in a way that matters to the figures. */
  readonly note?: string;
  /** Builds it when needed; says why there is none otherwise. */
  find(): Promise<Availability>;
}

/** How a contestant fared: `Round` is what is measured once. */
export type Outcome<Round> =
  /** It is not on this machine, or was not asked for. */
  | { readonly state: "not run"; readonly contestant: Contestant; readonly reason: string }
  /** It ran every round. */
  | {
    readonly state: "ran";
    readonly contestant: Contestant;
    readonly command: Command;
    readonly rounds: Round[];
  }
  /** It broke in one round, after which it ran no more; the rounds before it count. */
  | {
    readonly state: "failed";
    readonly contestant: Contestant;
    readonly command: Command;
    readonly rounds: Round[];
    readonly reason: string;
  };

/** How {@linkcode runRounds} goes about it. */
export interface RoundsOptions {
  readonly rounds: number;
  /** Identifiers of the only contestants to run. */
  readonly only: ReadonlySet<string> | undefined;
  /** Told before each measurement. */
  onProgress(line: string): void;
}

/**
 * Measures the contestants in turn, round after round, so that what changes on the machine meanwhile meets all of them.
 *
 * @param contestants in the order of the report
 * @param measure measures one contestant once
 */
export async function runRounds<Round>(
  contestants: readonly Contestant[],
  measure: (command: Command, contestant: Contestant) => Promise<Round>,
  options: RoundsOptions,
): Promise<Outcome<Round>[]> {
  const outcomes: Outcome<Round>[] = [];
  for (const contestant of contestants) outcomes.push(await enter(contestant, options.only));
  for (let round = 1; round <= options.rounds; round++) {
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.state !== "ran") continue;
      options.onProgress(`round ${round} of ${options.rounds}: ${outcome.contestant.label}`);
      try {
        outcome.rounds.push(await measure(outcome.command, outcome.contestant));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        outcomes[index] = { ...outcome, state: "failed", reason };
      }
    }
  }
  return outcomes;
}

async function enter<Round>(
  contestant: Contestant,
  only: ReadonlySet<string> | undefined,
): Promise<Outcome<Round>> {
  if (only !== undefined && !only.has(contestant.id)) {
    return { state: "not run", contestant, reason: "not named by --only" };
  }
  const availability = await contestant.find();
  if (availability.state === "unavailable") {
    return { state: "not run", contestant, reason: availability.reason };
  }
  return { state: "ran", contestant, command: availability.command, rounds: [] };
}
