import { assertStrictEquals } from "@std/assert";
import { type Polled, startPolling, stopPolling } from "../../../src/run/tasks/poll_loop.ts";
import { withWatchdog } from "../../support/watchdog.ts";

/** Finds what it is told to, and tells when it sleeps. */
class Fake implements Polled {
  misses = 0;
  polls = 0;
  found: number[] = [];
  #onSleep = (): void => {};

  poll(): number {
    this.polls++;
    return this.found.shift() ?? 0;
  }

  sleep(): void {
    this.#onSleep();
  }

  /** Polls it until it sleeps; how often. */
  async pollsUntilAsleep(): Promise<number> {
    this.polls = 0;
    const asleep = new Promise<void>((resolve) => this.#onSleep = resolve);
    startPolling(this);
    await asleep;
    return this.polls;
  }
}

Deno.test("startPolling() polls until nothing came for a while, and no longer where that is in vain", () =>
  withWatchdog(30_000, async () => {
    const fake = new Fake();
    for (let round = 0; round < 4; round++) await fake.pollsUntilAsleep();
    assertStrictEquals(fake.misses, 4);
    // Once when it begins, once more, and that was it.
    assertStrictEquals(await fake.pollsUntilAsleep(), 2);
    fake.found = [0, 3];
    await fake.pollsUntilAsleep();
    assertStrictEquals(fake.misses, 1, "what came counts, and then it was polled in vain once");
  }));

Deno.test("stopPolling() polls no more", () =>
  withWatchdog(30_000, async () => {
    const [away, fake] = [new Fake(), new Fake()];
    startPolling(away);
    stopPolling(away);
    await fake.pollsUntilAsleep();
    assertStrictEquals(away.polls, 0);
  }));
