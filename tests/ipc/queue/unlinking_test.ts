import assert from "node:assert/strict";
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
        assert.ok(queues.length <= mailboxes.length, "no queue is without its mailbox");
        if (queues.length < mailboxes.length) {
          orphans++;
          if (orphans % 4 === 0) SharedQueue.unlink(name);
          if (orphans % 4 === 1) assert.deepEqual(SharedQueue.removeAbandoned(filter), []);
          if (orphans % 4 === 2) assert.deepEqual(SharedMailbox.removeAbandoned(filter), [name]);
          if (orphans % 4 !== 3) assert.deepEqual(SharedMailbox.list(filter), []);
        }
        if (queues.length === 0) {
          using queue = SharedQueue.create(name, SHAPE);
          assert.throws(() => SharedMailbox.connect(queue), Deno.errors.NotFound);
          const make = at % 2 === 0 ? "create" : "open";
          using mailbox = SharedMailbox[make](queue, BOXES);
          assert.equal(mailbox.freeCount, 1);
        }
        SharedQueue.unlink(name);
        assert.deepEqual([SharedQueue.list(filter), SharedMailbox.list(filter)], [[], []]);
        if (done) break;
      }
      assert.ok(orphans >= 4, `${orphans} times a mailbox was left`);
    },
  );
}

nativeTest("SharedQueue and SharedMailbox take no mailbox away whose queue exists", () => {
  using names = new QueueNames();
  const name = names.next();
  makeBoth(name);
  assert.deepEqual(SharedMailbox.removeAbandoned({ prefix: name }), []);
  using queue = SharedQueue.connect(name);
  assert.deepEqual(SharedQueue.removeAbandoned({ prefix: name }), []);
  assert.throws(() => SharedMailbox.create(queue, BOXES), Deno.errors.AlreadyExists);
  assert.deepEqual(SharedMailbox.list({ prefix: name }).map(({ name, state }) => [name, state]), [
    [name, "ready"],
  ]);
  queue.close();
  assert.deepEqual(SharedQueue.removeAbandoned({ prefix: name }), [name]);
  assert.deepEqual(SharedMailbox.list({ prefix: name }), []);
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
  assert.deepEqual([one.freeCount, other.freeCount, box?.byteLength], [0, 1, 1]);
  one.close();
  assert.throws(() => SharedMailbox.connect(earlier), Deno.errors.NotFound);
  assert.throws(() => SharedMailbox.create(earlier, BOXES), Deno.errors.AlreadyExists);
  assert.equal(SharedMailbox.list({ prefix: name }).length, 1);
});
