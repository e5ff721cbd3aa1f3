import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { killedAt } from "../memory/support.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("Queues and mailboxes whose names are taken away", nativeSkipReason());

const SHAPE = { capacity: 1, messageBytesMax: 1 };
const BOXES = { boxes: { 1: 1 } };

/** A queue with a mailbox that nobody has open. */
function makeBoth(name: string): void {
  using queue = SharedQueue.create(name, SHAPE);
  using _mailbox = SharedMailbox.create(queue, BOXES);
}

for (const call of ["unlink", "removeAbandoned"] as const) {
  nativeTest(
    `SharedQueue.${call}() killed at any of its calls leaves no mailbox that blocks the next`,
    async () => {
      using names = new QueueNames();
      let orphans = 0;
      for (let at = 0;; at++) {
        const name = names.next();
        makeBoth(name);
        const argument = call === "unlink" ? `"${name}"` : JSON.stringify({ prefix: name });
        const done = await killedAt(
          at,
          `import { SharedQueue } from ${QUEUE_URL}; SharedQueue.${call}(${argument});`,
        );
        const filter = { prefix: name };
        const [queues, mailboxes] = [SharedQueue.list(filter), SharedMailbox.list(filter)];
        assert(queues.length <= mailboxes.length, "no queue is without its mailbox");
        if (queues.length < mailboxes.length) {
          orphans++;
          if (orphans % 4 === 0) SharedQueue.unlink(name);
          if (orphans % 4 === 1) assertEquals(SharedQueue.removeAbandoned(filter), []);
          if (orphans % 4 === 2) assertEquals(SharedMailbox.removeAbandoned(filter), [name]);
          if (orphans % 4 !== 3) assertEquals(SharedMailbox.list(filter), []);
        }
        if (queues.length === 0) {
          using queue = SharedQueue.create(name, SHAPE);
          assertThrows(() => SharedMailbox.connect(queue), Deno.errors.NotFound);
          const make = at % 2 === 0 ? "create" : "open";
          using mailbox = SharedMailbox[make](queue, BOXES);
          assertStrictEquals(mailbox.freeCount, 1);
        }
        SharedQueue.unlink(name);
        assertEquals([SharedQueue.list(filter), SharedMailbox.list(filter)], [[], []]);
        if (done) break;
      }
      assert(orphans >= 4, `${orphans} times a mailbox was left`);
    },
  );
}

nativeTest("SharedQueue and SharedMailbox take no mailbox away whose queue exists", () => {
  using names = new QueueNames();
  const name = names.next();
  makeBoth(name);
  assertEquals(SharedMailbox.removeAbandoned({ prefix: name }), []);
  using queue = SharedQueue.connect(name);
  assertEquals(SharedQueue.removeAbandoned({ prefix: name }), []);
  assertThrows(() => SharedMailbox.create(queue, BOXES), Deno.errors.AlreadyExists);
  assertEquals(SharedMailbox.list({ prefix: name }).map(({ name, state }) => [name, state]), [
    [name, "ready"],
  ]);
  queue.close();
  assertEquals(SharedQueue.removeAbandoned({ prefix: name }), [name]);
  assertEquals(SharedMailbox.list({ prefix: name }), []);
});

nativeTest("a mailbox that openers of an unlinked queue still use stays theirs, and is nobody else's", () => {
  using names = new QueueNames();
  const name = names.next();
  using earlier = SharedQueue.create(name, SHAPE);
  using one = SharedMailbox.create(earlier, BOXES);
  SharedQueue.unlink(name);
  using later = SharedQueue.create(name, SHAPE);
  using other = SharedMailbox.create(later, BOXES);
  using box = one.tryAcquire(1);
  assertEquals([one.freeCount, other.freeCount, box?.byteLength], [0, 1, 1]);
  one.close();
  assertThrows(() => SharedMailbox.connect(earlier), Deno.errors.NotFound);
  assertThrows(() => SharedMailbox.create(earlier, BOXES), Deno.errors.AlreadyExists);
  assertStrictEquals(SharedMailbox.list({ prefix: name }).length, 1);
});
