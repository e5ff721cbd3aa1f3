import { assert, assertEquals, assertRejects, assertStrictEquals, fail } from "@std/assert";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { FLAG, PARTICIPANT, participantAt, RECORD } from "../../../src/ipc/queue/layout.ts";
import type { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { PendingRequest, reply } from "../../../src/ipc/queue/request.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, FrozenClock, reopened } from "./support.ts";

nameSkipReason("ReplyHints", nativeSkipReason());

const REQUEST = { lane: 0, flags: FLAG.request, expiresMs: 0 };

/** Two openers of a queue, the first of which asks. */
class Pair implements Disposable {
  readonly memory: QueueMemory;
  readonly client: QueueCore;
  readonly server: QueueCore;

  constructor(capacity: number) {
    const { memory } = fakeMemory({ capacity, messageBytesMax: 8 });
    this.memory = memory;
    this.client = new QueueCore(memory);
    this.server = new QueueCore(reopened(memory).memory);
  }

  ask(number: number): PendingRequest {
    const { state } = this.client;
    const slot = this.client.trySend(new Uint8Array([number]), REQUEST);
    assert(slot >= 0);
    return new PendingRequest(this.client, slot, state.previousGeneration(0), REQUEST.expiresMs);
  }

  /** Reserves the next request; what it gives replies to that with what was asked. */
  serve(): () => void {
    const { slot, message } = this.server.reserve() ?? fail("there is no request");
    return () => assert(reply(this.server, slot, message.data));
  }

  /** The word that says where the list of the client begins. */
  get head(): number {
    return (participantAt(this.client.participants.number) >> 2) + PARTICIPANT.replied;
  }

  [Symbol.dispose](): void {
    this.client.close();
    this.server.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** How often slots are looked at for one reply while `count` requests are out. */
async function looksPerReply(count: number): Promise<number> {
  using pair = new Pair(1024);
  const requests = Array.from({ length: count }, (_, number) => pair.ask(number));
  const replies = Array.from({ length: count }, () => pair.serve());
  const waiting = requests.map((request) => request.reply({}));
  await turn();
  using _ = new FrozenClock();
  // One in the middle, after which nothing is due for the rest.
  const { memory } = pair.client;
  const load = memory.load.bind(memory);
  let looks = 0;
  Object.defineProperty(memory, "load", {
    value: (slot: number) => (looks++, load(slot)),
    configurable: true,
  });
  replies[count >> 1]();
  assertEquals([...await waiting[count >> 1]], [count >> 1]);
  const found = looks;
  Object.defineProperty(memory, "load", { value: load });
  for (const [number, reply] of replies.entries()) if (number !== count >> 1) reply();
  await Promise.all(waiting);
  return found;
}

nativeTest("ReplyHints: a reply costs the same however many requests are out", async () => {
  assertStrictEquals(await looksPerReply(200), await looksPerReply(3));
});

nativeTest("ReplyHints.take() takes each reply once, in whatever order they came", () => {
  using pair = new Pair(4);
  const requests = [pair.ask(0), pair.ask(1), pair.ask(2)];
  const replies = requests.map(() => pair.serve());
  const hints = pair.client.replyHints;
  assertEquals([...hints.due()], []);
  for (const number of [1, 2, 0]) replies[number]();
  assertEquals([...hints.due()].sort(), [0, 1, 2]);
  assertStrictEquals(Atomics.load(pair.memory.words, pair.head), 0);
  hints.forget(1);
  assertEquals([...hints.due()].sort(), [0, 2]);
});

nativeTest("ReplyHints that are lost, or nonsense, cost time and nothing else", async () => {
  for (const damage of ["lost", "circle", "out of range", "another's"] as const) {
    using pair = new Pair(4);
    const waiting = [pair.ask(0), pair.ask(1)].map((request) => request.reply({ timeoutMs: 60_000 }));
    const [first, second] = [pair.serve(), pair.serve()];
    const { words } = pair.memory;
    const next = pair.memory.recordOf(0) + RECORD.nextReplied;
    first();
    if (damage === "lost") words[pair.head] = 0;
    else if (damage === "circle") words[next] = 1;
    else if (damage === "out of range") words[pair.head] = -5;
    else words[next] = 4;
    second();
    assertEquals((await Promise.all(waiting)).map(([number]) => number), [0, 1], damage);
  }
});

nativeTest("ReplyHints: what a predecessor of the same number has left is forgotten", () => {
  const { memory } = fakeMemory({ capacity: 4, messageBytesMax: 8 });
  const client = new QueueCore(memory);
  const head = (participantAt(client.participants.number) >> 2) + PARTICIPANT.replied;
  client.close();
  memory.words[head] = 3;
  const next = new QueueCore(reopened(memory).memory);
  assertStrictEquals(memory.words[head], 0);
  next.close();
});

nativeTest("ReplyHints: what ends late forgets nothing of a later request in its slot", async () => {
  using pair = new Pair(1);
  const earlier = pair.ask(1);
  // Somebody takes it, and does not reply.
  pair.server.receive();
  const later = pair.ask(2);
  pair.serve()();
  assertEquals([...pair.client.replyHints.due()], [0]);
  await assertRejects(() => earlier.reply({ signal: AbortSignal.abort(new Error("given up")) }));
  assertEquals([...pair.client.replyHints.due()], [0]);
  assertEquals([...await later.reply({})], [2]);
});

nativeTest(
  "PendingRequest: giving up leaves alone what is in the slot when another has freed the reply meanwhile",
  async () => {
    using pair = new Pair(1);
    const { client, server } = pair;
    const request = pair.ask(1);
    pair.serve()();
    const { replyHints } = client;
    const take = replyHints.take.bind(replyHints);
    let sent = -1;
    // Between the look at the slot and the step that frees it.
    replyHints.take = () => {
      take();
      server.recover();
      sent = server.trySend(new Uint8Array([7]), { lane: 0, flags: 0, expiresMs: 0 });
    };
    await assertRejects(() => request.reply({ signal: AbortSignal.abort(new Error("given up")) }));
    assertStrictEquals(sent, 0);
    assertEquals([...server.receive()?.data ?? []], [7]);
  },
);

nativeTest(
  "PendingRequest: a slot that is another request's before the first has its turn is not taken for damaged",
  async () => {
    using pair = new Pair(1);
    const first = pair.ask(1);
    pair.serve()();
    const firstReply = first.reply({});
    const second = pair.ask(2);
    await firstReply;
    pair.serve()();
    pair.client.recover();
    assertEquals([...await second.reply({})], [2]);
  },
);
