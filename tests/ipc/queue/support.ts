import { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { queueConstantsOf } from "../../../src/ipc/queue/queue_constants.ts";
import type { QueueShape } from "../../../src/ipc/queue/queue_options.ts";
import { geometryOf, QUEUE_KIND } from "../../../src/ipc/queue/layout.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { FakeRegion } from "../ring/support.ts";
import { testName } from "../../support/test_name.ts";

/** The door of the folder, as a string of TypeScript, for programs that tests run. */
export const QUEUE_URL: string = JSON.stringify(
  new URL("../../../src/ipc/queue/mod.ts", import.meta.url).href,
);

/** Names that nobody else has, and the queues of which go with the test however it ends. */
export class QueueNames implements Disposable {
  readonly #names: string[] = [];

  next(): string {
    const name = testName();
    this.#names.push(name);
    return name;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) {
      try {
        SharedQueue.unlink(name);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) continue;
        // A test has put something else there.
        if (!(error instanceof Deno.errors.InvalidData)) throw error;
        SharedMemory.unlink(`queue.${name}`);
      }
    }
  }
}

/** The memory of a queue in this process, with locks as the kernel's; `reopen()` of its region gives another opener's. */
export function fakeMemory(
  shape: QueueShape,
  checksums = false,
): { region: FakeRegion; memory: QueueMemory } {
  const constants = { ...queueConstantsOf(shape, checksums), identity: 1 };
  const region = new FakeRegion(geometryOf(constants).byteLength);
  QUEUE_KIND.writeHeader(new Int32Array(region.bytes.buffer), constants);
  return { region, memory: new QueueMemory(region, constants) };
}

/** The same memory as another opener has it. */
export function reopened({ region, constants }: QueueMemory): { region: FakeRegion; memory: QueueMemory } {
  const other = (region as FakeRegion).reopen();
  return { region: other, memory: new QueueMemory(other, constants) };
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

/** Time stands still: so that nothing is looked at because it is time to. */
export class FrozenClock implements Disposable {
  readonly #now = performance.now;

  constructor() {
    const nowMs = this.#now.call(performance);
    performance.now = () => nowMs;
  }

  [Symbol.dispose](): void {
    performance.now = this.#now;
  }
}
