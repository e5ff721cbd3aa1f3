import assert from "node:assert/strict";
import { lookAt, lookAway, type Looked } from "../../../src/run/tasks/look_loop.ts";
import { withWatchdog } from "../../support/watchdog.ts";

/** Finds what it is told to, and tells when it sleeps. */
class Fake implements Looked {
  misses = 0;
  looks = 0;
  found: number[] = [];
  #onSleep = (): void => {};

  look(): number {
    this.looks++;
    return this.found.shift() ?? 0;
  }

  sleep(): void {
    this.#onSleep();
  }

  /** Looks at it until it sleeps; how often. */
  async looksUntilAsleep(): Promise<number> {
    this.looks = 0;
    const asleep = new Promise<void>((resolve) => this.#onSleep = resolve);
    lookAt(this);
    await asleep;
    return this.looks;
  }
}

Deno.test("lookAt() looks until nothing came for a while, and looks no longer where that is in vain", () =>
  withWatchdog(30_000, async () => {
    const fake = new Fake();
    for (let round = 0; round < 4; round++) await fake.looksUntilAsleep();
    assert.equal(fake.misses, 4);
    // Once when it begins, once more, and that was it.
    assert.equal(await fake.looksUntilAsleep(), 2);
    fake.found = [0, 3];
    await fake.looksUntilAsleep();
    assert.equal(fake.misses, 1, "what came counts, and then it was looked in vain once");
  }));

Deno.test("lookAway() looks no more", () =>
  withWatchdog(30_000, async () => {
    const [away, fake] = [new Fake(), new Fake()];
    lookAt(away);
    lookAway(away);
    await fake.looksUntilAsleep();
    assert.equal(away.looks, 0);
  }));
