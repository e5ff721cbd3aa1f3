import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { PARTICIPANT, participantAt } from "../../../src/ipc/queue/layout.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { queueMetrics } from "../../../src/ipc/queue/status.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, QueueNames } from "./support.ts";

nameSkipReason("QueueStatus", nativeSkipReason());

nativeTest(
  "SharedQueue.status() counts what happens to messages, whoever looks, and after who did it has gone",
  async () => {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, {
      capacity: 4,
      messageBytesMax: 8,
      priorities: 2,
      deliveryCountMax: 1,
      deadLetterCountMax: 1,
    });
    const other = SharedQueue.connect(name);
    for (const priority of [0, 1, 1]) other.trySend("x", { priority });
    other.trySend("y", { priority: 0, expiresAfterMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 3));
    const first = queue.status();
    assertEquals([first.readyCounts, first.readyCount, first.sentCount], [[2, 2], 4, 4]);
    assert(first.oldestAgeMs !== undefined && first.oldestAgeMs >= 3);
    for (let count = 0; count < 3; count++) other.tryReserve()?.nack();
    assertStrictEquals(other.tryReserve(), undefined);
    while (other.trySend("z"));
    other.trySend("z", { whenFull: "drop-oldest" });
    other.close();
    const status = queue.status();
    assertEquals(
      [
        status.receivedCount,
        status.givenBackCount,
        status.expiredCount,
        status.deadLetteredCount,
        status.deadLetterCount,
      ],
      [3, 3, 1, 3, 1],
    );
    // Two dead letters gave way, and one message.
    assertEquals([status.droppedCount, status.sentCount, status.readyCount, status.damagedCount], [
      3,
      8,
      3,
      0,
    ]);
    assertStrictEquals(status.participants.length, 1);
    queue.purge();
    const { oldestAgeMs, readyCounts, sentPerSecond } = queue.status();
    assertEquals([oldestAgeMs, readyCounts, sentPerSecond], [undefined, [0, 0], 0]);
  },
);

Deno.test("queueMetrics() is text that Prometheus reads", () => {
  const status = {
    capacity: 4,
    readyCount: 3,
    reservedCount: 2,
    deadLetterCount: 0,
    readyCounts: [1, 2],
    oldestAgeMs: 1500,
    sentCount: 2 ** 40,
    receivedCount: 0,
    redeliveredCount: 0,
    givenBackCount: 0,
    expiredCount: 0,
    droppedCount: 0,
    deadLetteredCount: 0,
    damagedCount: 0,
    sentPerSecond: 12.5,
    receivedPerSecond: 1e-7,
    participants: [],
  };
  const text = queueMetrics("a-queue", status, "priority");
  const metrics = text.split(/^(?=# HELP )/m);
  assertStrictEquals(metrics.length, 17);
  for (const metric of metrics) {
    const [help, type, ...samples] = metric.trimEnd().split("\n");
    const name = /^# HELP (millrace_queue_[a-z_]+) \S.*$/.exec(help)?.[1];
    assertMatch(type, new RegExp(`^# TYPE ${name} (gauge|counter)$`));
    assert(samples.length > 0);
    for (const sample of samples) {
      assertMatch(sample, new RegExp(`^${name}\\{queue="a-queue"(,[a-z]+="[0-9]+")?\\} [0-9.e+-]+$`));
    }
  }
  assertMatch(text, /^millrace_queue_sent_per_second\{queue="a-queue"\} 12.5$/m);
  assertMatch(text, /^millrace_queue_received_per_second\{queue="a-queue"\} 1e-7$/m);
  assertMatch(text, /^millrace_queue_ready_by_priority\{queue="a-queue",priority="1"\} 2$/m);
  assertMatch(
    queueMetrics("a-queue", status, "partition"),
    /^millrace_queue_ready_by_partition\{queue="a-queue",partition="1"\} 2$/m,
  );
  assertMatch(text, /^millrace_queue_oldest_age_seconds\{queue="a-queue"\} 1.5$/m);
  assertMatch(text, /^millrace_queue_sent_total\{queue="a-queue"\} 1099511627776$/m);
});

nativeTest("SharedQueue.metrics() names each process once, and says whether it is alive", () => {
  using names = new QueueNames();
  const name = names.next();
  using queue = SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 });
  using _same = SharedQueue.connect(name);
  const row = /^millrace_queue_process_openers\{.*$/gm;
  const own = `millrace_queue_process_openers{queue="${name}",pid="${Deno.pid}"} 2`;
  assertEquals(queue.metrics().match(row), [own]);
  const status = queue.status();
  const attachedAt = new Date();
  const dead = { pid: 7, attachedAt, alive: false };
  const text = queueMetrics(name, { ...status, participants: [...status.participants, dead] }, "priority");
  assertEquals(text.match(row), [own, `millrace_queue_process_openers{queue="${name}",pid="7"} 0`]);
});

nativeTest("SharedQueue.status() has dates that can be shown, though a participant's are damaged", () => {
  const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 1 });
  const core = new QueueCore(memory);
  const at = participantAt(1) >> 3;
  memory.floats.fill(1e300, at + (PARTICIPANT.processStartedMs >> 1), at + (PARTICIPANT.attachedMs >> 1) + 1);
  const [{ attachedAt, processStartedAt }] = [...core.participants.list()];
  assertEquals([attachedAt, processStartedAt], [new Date(0), new Date(0)]);
  core.close();
});
