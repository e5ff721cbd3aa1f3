import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, fail } from "@std/assert";
import type { ChaosHistory, ChaosPlan, Running } from "./chaos.ts";
import { DEED } from "./chaos_process.ts";

/** One line of a log. */
export interface Deed {
  readonly letter: string;
  readonly at: bigint;
  readonly numbers: readonly number[];
  readonly by: Running;
}

/** What became of messages. */
export interface MessagesOutcome {
  readonly sent: number;
  readonly received: number;
  readonly redelivered: number;
  readonly killed: number;
}

/** Nothing acknowledged is lost, torn or invented, and what is promised of order holds. */
export function checkMessages(
  { seed, keys, takers, victims }: ChaosPlan,
  { deeds, all }: ChaosHistory,
): MessagesOutcome {
  const sending = new Set<string>();
  const sent = new Set<string>();
  const received = new Map<string, number>();
  let redelivered = 0;
  const killed = all.filter((running) => running.killed).length;
  const order = new OrderCheck();
  // With one consumer, which does not die, the messages of each producer come in order; with keys, those of each partition do.
  const isOrdered = keys > 0 || (takers === 1 && victims === "producer");
  for (const { letter, numbers, by } of deeds) {
    if (letter === DEED.sending) sending.add(`${by.order.number}.${numbers[0]}`);
    else if (letter === DEED.sent) sent.add(`${by.order.number}.${numbers[0]}`);
    else if (letter === DEED.received) {
      const [producer, number, redeliveryCount, partition] = numbers;
      const message = `${producer}.${number}`;
      const before = received.get(message) ?? 0;
      received.set(message, before + 1);
      assert(sending.has(message), `seed ${seed}: message ${message} was received, and nobody sent it`);
      if (before > 0) {
        redelivered++;
        assert(
          redeliveryCount > 0,
          `seed ${seed}: message ${message} was delivered twice, and says that it was not`,
        );
      } else if (isOrdered) order.received(producer, number, partition, seed);
      if (keys > 0) order.begins(partition, message, by, seed);
    } else if (letter === DEED.torn) fail(`seed ${seed}: a torn message of ${numbers[0]} bytes`);
    else order.ends(`${numbers[0]}.${numbers[1]}`);
  }
  const lost = [...sent].filter((message) => !received.has(message));
  assertEquals(lost, [], `seed ${seed}: messages that were acknowledged and never delivered`);
  const givenBack = deeds.filter(({ letter }) => letter === DEED.givenBack).length;
  if (killed === 0) {
    assertStrictEquals(redelivered, givenBack, `seed ${seed}: delivered twice, and nobody died`);
  }
  return { sent: sent.size, received: received.size, redelivered, killed };
}

/** First deliveries in the order of sending, and of partitions one message at a time. */
class OrderCheck {
  readonly #last = new Map<string, number>();
  readonly #out = new Map<number, { message: string; by: Running }>();

  received(producer: number, number: number, partition: number, seed: number): void {
    const key = `${producer}.${partition}`;
    const last = this.#last.get(key) ?? 0;
    assert(
      number > last,
      `seed ${seed}: producer ${producer}, partition ${partition}: ${number} came behind ${last}`,
    );
    this.#last.set(key, number);
  }

  begins(partition: number, message: string, by: Running, seed: number): void {
    const out = this.#out.get(partition);
    const isFree = out === undefined || out.by.killed;
    assert(
      isFree,
      `seed ${seed}: partition ${partition}: ${message} is out together with ${out?.message}`,
    );
    this.#out.set(partition, { message, by });
  }

  ends(message: string): void {
    for (const [partition, out] of this.#out) if (out.message === message) this.#out.delete(partition);
  }
}

/** What became of requests. */
export interface RequestsOutcome {
  readonly answered: number;
  readonly refused: number;
  readonly ended: number;
  readonly lost: number;
  readonly killed: number;
}

/** Replies belong to their requests, which all come to an end, and are lost only with somebody who died while replying. */
export function checkRequests({ seed }: ChaosPlan, { deeds, all }: ChaosHistory): RequestsOutcome {
  const open = new Map<string, Running>();
  const handled = new Map<string, Set<number>>();
  const killed = all.filter((running) => running.killed);
  const counts = { answered: 0, refused: 0, ended: 0, lost: 0 };
  for (const { letter, numbers, by } of deeds) {
    const request = `${by.order.number}.${numbers[0]}`;
    const end = (outcome: keyof typeof counts): void => {
      assert(open.delete(request), `seed ${seed}: request ${request} has ended before`);
      counts[outcome]++;
    };
    if (letter === DEED.asking) open.set(request, by);
    else if (letter === DEED.handling) {
      const [requester, number, redeliveryCount] = numbers;
      const its = `${requester}.${number}`;
      const before = handled.get(its) ?? new Set();
      assert(
        before.size === 0 || killed.length > 0,
        `seed ${seed}: ${its} is handled twice, and nobody died`,
      );
      assert(
        before.size === 0 || redeliveryCount > 0,
        `seed ${seed}: ${its} is handled again, and says that it is not`,
      );
      handled.set(its, before.add(by.order.number));
    } else if (letter === DEED.answered) {
      const isIts = handled.get(request)?.has(numbers[1]) === true;
      assert(isIts, `seed ${seed}: ${request} was answered by ${numbers[1]}, who never had it`);
      end("answered");
    } else if (letter === DEED.refused) end("refused");
    else if (letter === DEED.ended) end("ended");
    else if (letter === DEED.lost) end("lost");
    else if (letter === DEED.torn) fail(`seed ${seed}: torn, or another's: ${numbers[0]} bytes`);
  }
  const endless = [...open].filter(([, by]) => !by.killed).map(([request]) => request);
  assertEquals(endless, [], `seed ${seed}: requests that did not end`);
  // Each of those who died can have been replying to one.
  const responders = killed.filter(({ order }) => order.role === "responder").length;
  assert(counts.lost <= responders, `seed ${seed}: ${counts.lost} lost, ${responders} died`);
  return { ...counts, killed: killed.length };
}

/** As {@linkcode checkMessages}, and each message comes with its box. */
export function checkMailbox(plan: ChaosPlan, history: ChaosHistory): MessagesOutcome {
  for (const { letter, numbers } of history.deeds) {
    assertNotStrictEquals(
      letter,
      DEED.boxless,
      `seed ${plan.seed}: message ${numbers.join(".")} without its box`,
    );
  }
  return checkMessages(plan, history);
}
