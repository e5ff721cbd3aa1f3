import { assertEquals, assertStrictEquals, fail } from "@std/assert";
import { Buffer } from "node:buffer";
import { SeededRandom } from "../../../src/base/mod.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { DeadLetters } from "../../../src/ipc/queue/dead_letters.ts";
import { FLAG, PARTICIPANT, participantAt, RECORD } from "../../../src/ipc/queue/layout.ts";
import type { Message, QueueShape } from "../../../src/ipc/queue/mod.ts";
import type { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { patternBytes, testSeeds, withSeed } from "../../support/driver_seed.ts";
import { fakeMemory, HastyClock, reopened } from "./support.ts";

nameSkipReason("Native code and TypeScript as twins", nativeSkipReason());

const RUNS = 4;
const STEPS = 3000;
/** Long past, and far ahead. */
const EXPIRES_MS = [0, 0, 0, 1, 2 ** 52];

/** One of two queues to which the same happens. */
class Twin {
  readonly memory: QueueMemory;
  readonly cores: QueueCore[];
  /** Slots that each opener has. */
  readonly held: number[][] = [[], []];

  constructor(shape: QueueShape, natives: readonly boolean[]) {
    this.memory = fakeMemory(shape).memory;
    this.cores = natives.map((native, index) =>
      new QueueCore(index === 0 ? this.memory : reopened(this.memory).memory, { native })
    );
  }

  /** The bytes of its region, but for times. */
  bytes(): Uint8Array {
    const bytes = this.memory.bytes.slice();
    for (const number of [1, 2]) {
      const at = participantAt(number) + PARTICIPANT.processStartedMs * 4;
      bytes.fill(0, at, at + 16);
    }
    for (let slot = 0; slot < this.memory.capacity; slot++) {
      const at = (this.memory.recordOf(slot) + RECORD.sentMs) * 4;
      bytes.fill(0, at, at + 8);
    }
    return bytes;
  }
}

/** One thing that can be done to a queue, with all that is random about it. */
interface Step {
  readonly opener: number;
  readonly deed: number;
  readonly lane: number;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly expiresMs: number;
  readonly number: number;
}

function stepOf(random: SeededRandom, { messageBytesMax, priorities }: QueueMemory["constants"]): Step {
  const byteLength = random.below(4) === 0
    ? messageBytesMax - random.below(2)
    : random.below(messageBytesMax + 1);
  return {
    opener: random.below(2),
    deed: random.below(16),
    lane: random.below(priorities),
    data: patternBytes(random.nextUint32(), byteLength),
    expiresMs: EXPIRES_MS[random.below(EXPIRES_MS.length)],
    number: random.below(100),
  };
}

function plain(message: Message | undefined): unknown {
  if (message === undefined) return undefined;
  const { data, id, redeliveryCount, priority, partition } = message;
  return { data: [...data], id, redeliveryCount, priority, partition };
}

/** Does a step; what came of it. */
function take(twin: Twin, { opener, deed, lane, data, expiresMs, number }: Step): unknown {
  const core = twin.cores[opener];
  const held = twin.held[opener];
  const chosen = held.length > 0 ? number % held.length : -1;
  if (deed < 5) return core.trySend(data, { lane, flags: 0, expiresMs });
  if (deed === 5) return core.trySend(data, { lane, flags: FLAG.request, expiresMs });
  if (deed === 6) {
    return core.trySendMany([data, data.slice(1), data.slice(2)], 0, 3, { lane, flags: 0, expiresMs });
  }
  if (deed < 9) return plain(core.receive());
  if (deed === 9) {
    const messages: Message[] = [];
    core.receiveMany(messages, 1 + number % 4);
    return messages.map(plain);
  }
  if (deed < 12) {
    const reserved = core.reserve();
    if (reserved === undefined) return undefined;
    held.push(reserved.slot);
    return [reserved.slot, plain(reserved.message)];
  }
  if (deed === 12 && chosen >= 0) return core.giveBack(held.splice(chosen, 1)[0]);
  if (deed === 13 && chosen >= 0) return core.ack(held.splice(chosen, 1)[0]);
  if (deed === 14) return number % 8 === 0 ? core.purge() : core.dropOldest();
  if (deed === 15) return number % 2 === 0 ? new DeadLetters(core).redeliver(number % 3) : core.findRoom();
  return undefined;
}

const SHAPES: readonly QueueShape[] = [
  { capacity: 5, messageBytesMax: 40, priorities: 3, deliveryCountMax: 2 },
  { capacity: 1, messageBytesMax: 7 },
  { capacity: 300, messageBytesMax: 3000 },
];

for (const [index, shape] of SHAPES.entries()) {
  nativeTest(`Native code does to a queue what TypeScript does, byte for byte: shape ${index}`, async () => {
    using _ = new HastyClock();
    for (const seed of testSeeds(RUNS)) {
      await withSeed(seed, () => {
        const random = new SeededRandom(seed);
        const twins = [new Twin(shape, [true, true]), new Twin(shape, [false, false])];
        const looks = shape.capacity === 300 ? 50 : 1;
        for (let number = 0; number < STEPS; number++) {
          const step = stepOf(random, twins[0].memory.constants);
          const [one, other] = twins.map((twin) => take(twin, step));
          assertEquals(one, other, `step ${number}, deed ${step.deed}`);
          if (number % looks > 0) continue;
          const [bytes, others] = twins.map((twin) => twin.bytes());
          if (Buffer.compare(bytes, others) === 0) continue;
          const differs = bytes.findIndex((byte, at) => byte !== others[at]);
          fail(`byte ${differs} differs behind step ${number}, deed ${step.deed}`);
        }
        for (const twin of twins) for (const core of twin.cores) core.close();
      });
    }
  });
}

/** What a queue is meant to be: per priority, first in, first out. */
class Model {
  readonly lanes: number[][];
  count = 0;

  constructor(priorities: number) {
    this.lanes = Array.from({ length: priorities }, () => []);
  }

  take(): number | undefined {
    return this.lanes.find((lane) => lane.length > 0)?.shift();
  }
}

nativeTest(
  "Native code and TypeScript at one queue, in turn at random, are first in, first out, per priority",
  async () => {
    using _ = new HastyClock();
    const [capacity, priorities] = [6, 3];
    for (const seed of testSeeds(RUNS)) {
      await withSeed(seed, () => {
        const random = new SeededRandom(seed);
        const { memory } = fakeMemory({ capacity, messageBytesMax: 4, priorities });
        const cores = [new QueueCore(memory), new QueueCore(reopened(memory).memory, { native: false })];
        const model = new Model(priorities);
        const held: { core: QueueCore; slot: number; number: number; lane: number }[] = [];
        for (let number = 0; number < STEPS; number++) {
          const core = cores[random.below(2)];
          const lane = random.below(priorities);
          const deed = random.below(6);
          if (deed < 2) {
            const data = new Uint8Array(new Int32Array([number]).buffer);
            const isSent = core.trySend(data, { lane, flags: 0, expiresMs: 0 }) >= 0;
            assertStrictEquals(isSent, model.count < capacity, `step ${number}`);
            if (isSent) {
              model.lanes[lane].push(number);
              model.count++;
            }
          } else if (deed < 4) {
            const lane = model.lanes.findIndex((lane) => lane.length > 0);
            const expected = model.take();
            const reserved = core.reserve();
            const found = reserved && new Int32Array(reserved.message.data.slice().buffer)[0];
            assertStrictEquals(found, expected, `step ${number}`);
            if (reserved !== undefined && found !== undefined) {
              held.push({ core, slot: reserved.slot, number: found, lane });
            }
          } else if (held.length > 0) {
            const [chosen] = held.splice(random.below(held.length), 1);
            if (deed === 4) {
              chosen.core.ack(chosen.slot);
              model.count--;
            } else {
              chosen.core.giveBack(chosen.slot);
              model.lanes[chosen.lane].push(chosen.number);
            }
          }
        }
        for (const core of cores) core.close();
      });
    }
  },
);
