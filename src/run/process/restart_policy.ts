import { assert, type Clock, type SeededRandom } from "../../base/mod.ts";

/** What {@linkcode RestartPolicy} goes by; {@linkcode RestartSpec} with all that it leaves out. */
export interface RestartRules {
  /** Whether an end calls for a restart. */
  readonly policy: "always" | "on-failure" | "never";
  /** Milliseconds before the second restart in a row. */
  readonly delayMs: number;
  /** The longest delay. */
  readonly delayMsMax: number;
  /** From one delay to the next. */
  readonly factor: number;
  /** The share of a delay that chance adds or takes. */
  readonly jitter: number;
  /** Restarts within the window. */
  readonly restartsMax: number;
  /** Milliseconds within which restarts are counted. */
  readonly windowMs: number;
  /** Milliseconds after which who runs is stable. */
  readonly stableMs: number;
}

/** What to do about an instance that has ended. */
export type RestartDecision =
  /** Start it again, after `delayMs`. */
  | { readonly kind: "restart"; readonly delayMs: number }
  /** It has done what it was to do. */
  | { readonly kind: "done" }
  /** It ended once more than it may: `restartCount` restarts within the window have not helped. */
  | { readonly kind: "give-up"; readonly restartCount: number };

/**
 * Decides what becomes of an instance that has ended. Pure: time and chance are given to it.
 *
 * The first restart is at once. Those that follow wait, each `factor` times longer than the one before, up to `delayMsMax`,
 * until an instance has run for `stableMs`. More than `restartsMax` within `windowMs`, and it is given up.
 */
export class RestartPolicy {
  readonly #rules: RestartRules;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  /** When restarts within the window were decided on; `restartsMax` at most. */
  #restartsMs: number[] = [];
  /** Restarts since an instance was last stable. */
  #inRow = 0;

  /** Of an instance that has not ended yet. */
  constructor(rules: RestartRules, clock: Clock, random: SeededRandom) {
    this.#rules = rules;
    this.#clock = clock;
    this.#random = random;
  }

  /** The instance has ended, with code 0 or not, `ranMs` after it was ready; 0 when it never was. */
  decide(ranMs: number, succeeded: boolean): RestartDecision {
    const { policy, restartsMax, windowMs, stableMs } = this.#rules;
    if (policy === "never" || policy === "on-failure" && succeeded) return { kind: "done" };
    if (ranMs >= stableMs) this.#inRow = 0;
    const nowMs = this.#clock.nowMs();
    this.#restartsMs = this.#restartsMs.filter((ms) => ms > nowMs - windowMs);
    if (this.#restartsMs.length >= restartsMax) {
      return { kind: "give-up", restartCount: this.#restartsMs.length };
    }
    const delayMs = this.#delayMs(this.#inRow++);
    this.#restartsMs.push(nowMs);
    assert(this.#restartsMs.length <= restartsMax, "restarts: more within the window than may be");
    return { kind: "restart", delayMs };
  }

  /** Forgets earlier failures: a start was asked for. */
  reset(): void {
    this.#restartsMs = [];
    this.#inRow = 0;
  }

  #delayMs(inRow: number): number {
    if (inRow === 0) return 0;
    const { delayMs, delayMsMax, factor, jitter } = this.#rules;
    const exact = Math.min(delayMsMax, delayMs * factor ** (inRow - 1));
    const spread = exact * jitter * (2 * this.#random.float() - 1);
    return Math.min(delayMsMax, Math.max(0, exact + spread));
  }
}
