import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { geometryOf, STATE_KIND } from "../../../src/ipc/state/layout.ts";
import { stateConstantsOf } from "../../../src/ipc/state/state_constants.ts";
import { StateMemory } from "../../../src/ipc/state/state_memory.ts";
import type { StateCreateOptions } from "../../../src/ipc/state/mod.ts";
import { FakeRegion } from "../ring/support.ts";
import { testName } from "../../support/test_name.ts";

/** The door of the folder, as a string of TypeScript, for programs that tests run. */
export const STATE_URL: string = JSON.stringify(
  new URL("../../../src/ipc/state/mod.ts", import.meta.url).href,
);

/** What regions of the folder begin their names with. */
const NOUNS = ["state", "lock", "semaphore", "pool"];

/** Names that nobody else has, and what is called by them goes with the test however it ends. */
export class StateNames implements Disposable {
  readonly #names: string[] = [];

  next(): string {
    return this.add(testName());
  }

  add(name: string): string {
    this.#names.push(name);
    return name;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) {
      for (const noun of NOUNS) {
        try {
          SharedMemory.unlink(`${noun}.${name}`);
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    }
  }
}

/** Memory of a state in this process, with locks as the kernel's. */
export function fakeState(options: StateCreateOptions): StateMemory {
  const constants = { ...stateConstantsOf(options), seed: 1, checksums: 0 };
  const region = new FakeRegion(geometryOf(constants).byteLength);
  STATE_KIND.writeHeader(new Int32Array(region.bytes.buffer), constants);
  return new StateMemory(region, constants);
}

/** The same memory as another opener has it. */
export function reopened({ region, constants }: StateMemory): StateMemory {
  return new StateMemory((region as FakeRegion).reopen(), constants);
}

/** The opener dies, as the kernel would have it. */
export function die({ region }: StateMemory): void {
  (region as FakeRegion).die();
}

/** Time goes by from one look at it to the next: so that nothing is left out because it was done a moment ago. */
export class HastyClock implements Disposable {
  readonly #now = performance.now;

  constructor() {
    let nowMs = this.#now.call(performance);
    performance.now = () => nowMs += 10;
  }

  [Symbol.dispose](): void {
    performance.now = this.#now;
  }
}

/** Resolves when `condition` holds; the test's watchdog bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The date stands still, and goes on when a test says so. */
export class DateClock implements Disposable {
  readonly #now = Date.now;
  #nowMs = Date.now();

  constructor() {
    Date.now = () => this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  [Symbol.dispose](): void {
    Date.now = this.#now;
  }
}
