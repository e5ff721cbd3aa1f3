import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { MemoryPool, SharedLock, SharedSemaphore, SharedState } from "../../../src/ipc/state/mod.ts";
import { SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { startProgram } from "../../support/net_child.ts";
import { killedAt, TemporaryDirectory } from "../memory/support.ts";
import { QUEUE_URL } from "../queue/support.ts";
import { STATE_URL } from "../state/support.ts";
import { testName } from "../../support/test_name.ts";

nameSkipReason("Creators that are killed", nativeSkipReason());

const RANDOM_KILLS = 10;
const RANDOM_MS_MAX = 40;
const BOXES = { boxes: { 1: 1 } };

interface Place {
  readonly directory?: string;
}

/** A kind of thing: how a program makes one of that name, again and again, and how this process opens it and says what it is. */
interface Kind {
  readonly noun: string;
  readonly program: (name: string, place: Place, method: string) => string;
  readonly connect: (name: string, place: Place) => Disposable;
  readonly open: (name: string, place: Place) => Disposable;
  readonly unlink: (name: string, place: Place) => void;
}

function kind<Options extends object>(
  noun: string,
  url: string,
  own: {
    readonly name: string;
    connect(name: string, place: Place): Disposable;
    open(name: string, options: Options): Disposable;
    unlink(name: string, place: Place): void;
  },
  options: Options,
): Kind {
  return {
    noun,
    program: (name, place, method) => `
      import { ${own.name} } from ${url};
      const make = () => ${own.name}.${method}("${name}", ${JSON.stringify({ ...options, ...place })});
      const unlink = () => ${own.name}.unlink("${name}", ${JSON.stringify(place)});
    `,
    connect: (name, place) => own.connect(name, place),
    open: (name, place) => own.open(name, { ...options, ...place }),
    unlink: (name, place) => own.unlink(name, place),
  };
}

const QUEUE = kind("queue", QUEUE_URL, SharedQueue, { capacity: 2000, messageBytesMax: 1000 });
const KINDS: readonly Kind[] = [
  QUEUE,
  kind("state", STATE_URL, SharedState, { capacity: 2000 }),
  kind("lock", STATE_URL, SharedLock, {}),
  kind("semaphore", STATE_URL, SharedSemaphore, { permits: 4 }),
  kind("pool", STATE_URL, MemoryPool, { blockCount: 100, blockBytes: 10_000 }),
  {
    noun: "mailbox",
    program: (name, place, method) => `
      import { SharedMailbox, SharedQueue } from ${QUEUE_URL};
      const queue = SharedQueue.connect("${name}", ${JSON.stringify(place)});
      const make = () => SharedMailbox.${method}(queue, ${JSON.stringify(BOXES)});
      const unlink = () => SharedMailbox.unlink("${name}", ${JSON.stringify(place)});
    `,
    connect: (name, place) => withQueue(name, place, (queue) => SharedMailbox.connect(queue)),
    open: (name, place) => withQueue(name, place, (queue) => SharedMailbox.open(queue, BOXES)),
    unlink: (name, place) => SharedMailbox.unlink(name, place),
  },
];

/** A mailbox with its queue, which closes with it. */
function withQueue(name: string, place: Place, open: (queue: SharedQueue) => Disposable): Disposable {
  using stack = new DisposableStack();
  stack.use(open(stack.use(SharedQueue.connect(name, place))));
  return stack.move();
}

/** A name that nobody else has; what is called so goes with the scope, however that ends. */
function nameFor(stack: DisposableStack, place: Place): string {
  const name = testName();
  stack.defer(() => {
    for (const { noun } of KINDS) {
      try {
        SharedMemory.unlink(`${noun}.${name}`, place);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  });
  return name;
}

/** Runs `body` with the system's memory, and with a directory. */
async function inBothPlaces(body: (place: Place) => Promise<void>): Promise<void> {
  await body({});
  using temporary = new TemporaryDirectory();
  await body({ directory: temporary.directory });
}

/** Whether it exists; that a dead creator has left it half-made is no other answer. */
function exists({ connect }: Kind, name: string, place: Place): boolean {
  try {
    using _opened = connect(name, place);
    return true;
  } catch (error) {
    assert(error instanceof Deno.errors.NotFound, String(error));
    return false;
  }
}

for (const kind of KINDS) {
  nativeTest(`a creator of a ${kind.noun} that is killed at any of its calls blocks nobody`, async () => {
    using temporary = new TemporaryDirectory();
    using stack = new DisposableStack();
    const found = new Set<boolean>();
    // They have all but their constants in common: of most, a look at each third call is enough.
    const step = kind === QUEUE || kind.noun === "mailbox" ? 1 : 3;
    for (let call = 0;; call += step) {
      const place = call % 2 === 0 ? {} : { directory: temporary.directory };
      const name = nameFor(stack, place);
      if (kind.noun === "mailbox") QUEUE.open(name, place)[Symbol.dispose]();
      // Some are killed while they make anew what another has left half-made.
      const isSecond = call % 4 >= 2;
      if (isSecond) await killedAt(call, `${kind.program(name, place, "create")} make();`);
      const method = isSecond ? "open" : "create";
      const done = await killedAt(call, `${kind.program(name, place, method)} make();`);
      found.add(exists(kind, name, place));
      kind.open(name, place)[Symbol.dispose]();
      assert(exists(kind, name, place));
      if (done) break;
    }
    assertEquals([...found], [false, true]);
  });
}

nativeTest(
  "creators that are killed at random moments block nobody, of whatever kind and wherever",
  async () => {
    const [seed] = testSeeds(1);
    await withSeed(seed, async () => {
      const random = new SeededRandom(seed);
      await inBothPlaces(async (place) => {
        for (let round = 0; round < RANDOM_KILLS; round++) {
          const kind = KINDS[random.nextUint32() % KINDS.length];
          using stack = new DisposableStack();
          const name = nameFor(stack, place);
          if (kind.noun === "mailbox") QUEUE.open(name, place)[Symbol.dispose]();
          await using child = await startProgram(`
          ${kind.program(name, place, random.nextUint32() % 2 === 0 ? "create" : "open")}
          console.log("ready");
          for (;;) {
            make()[Symbol.dispose]();
            unlink();
          }
        `);
          await child.says(/ready/);
          await new Promise((resolve) => setTimeout(resolve, random.nextUint32() % RANDOM_MS_MAX));
          child.kill("SIGKILL");
          await child.ended();
          exists(kind, name, place);
          // Several at once: what the dead one has left is made anew once.
          const openers = [
            kind.open(name, place),
            kind.noun === "mailbox" ? undefined : kind.open(name, place),
          ];
          for (const opener of openers) opener?.[Symbol.dispose]();
          kind.unlink(name, place);
        }
      });
    });
  },
);

nativeTest("SharedQueue.open() says which option does not fit what exists", () => {
  using stack = new DisposableStack();
  const name = nameFor(stack, {});
  using _queue = SharedQueue.open(name, { capacity: 8, messageBytesMax: 16, priorities: 2, mode: 0o640 });
  using same = SharedQueue.open(name, { capacity: 8, deliveryCountMax: Infinity, compressAboveBytes: 100 });
  assertStrictEquals(same.priorities, 2);
  const cases = [
    [{ capacity: 9 }, "capacity is 8, expected 9"],
    [{ messageBytesMax: 17 }, "messageBytesMax is 16, expected 17"],
    [{ priorities: 3 }, "priorities is 2, expected 3"],
    [{ partitions: 4 }, "partitions is 0, expected 4"],
    [{ deliveryCountMax: 5 }, "deliveryCountMax is Infinity, expected 5"],
    [{ deadLetterCountMax: 1 }, "deadLetterCountMax is 2, expected 1"],
    [{ mode: 0o600 }, "mode is 0o640, expected 0o600"],
  ] as const;
  for (const [options, found] of cases) {
    assertThrowsMatching(() => SharedQueue.open(name, options), {
      name: "AlreadyExists",
      message: `open queue ${name}: ${found}`,
    });
  }
  using mailbox = SharedMailbox.open(same, BOXES);
  using other = SharedQueue.connect(name);
  SharedMailbox.open(other, BOXES).close();
  assertThrowsMatching(() => SharedMailbox.open(other, { boxes: { 1: 1, 5: 2 } }), {
    name: "AlreadyExists",
    message: `open the mailbox of queue ${name}: boxes[5] is 0, expected 2`,
  });
  assertStrictEquals(mailbox.freeCount, 1);
  // An opener that was refused has left nothing open.
  assertStrictEquals(same.status().participants.length, 3);
});
