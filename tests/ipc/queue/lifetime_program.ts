/**
 * What is tested of the threads and descriptors of queues, in a process of its own: in that of the tests, which run side by side, others have
 * theirs.
 */
import assert from "node:assert/strict";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { descriptorCount, mappingCount } from "../memory/support.ts";
import { QueueNames } from "./support.ts";

const ROUNDS = 500;
const SHAPE = { capacity: 4, messageBytesMax: 100 };

function threadCount(): number {
  return [...Deno.readDirSync("/proc/self/task")].length;
}

function openFileCount(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

{
  using names = new QueueNames();
  const name = names.next();
  const round = async (): Promise<void> => {
    const queue = SharedQueue.create(name, SHAPE);
    const other = SharedQueue.connect(name);
    const waiting = other.receive();
    const given = [other.reserve(), queue.request("x", { signal: AbortSignal.timeout(60_000) })].map((call) =>
      call.catch(() => {})
    );
    queue.trySend("a");
    await waiting;
    queue.tryReserve();
    queue.close();
    other.close();
    await Promise.all(given);
    SharedQueue.unlink(name);
  };
  for (let count = 0; count < 20; count++) await round();
  // Sleeps that were under way end a moment later.
  const settle = () => new Promise((resolve) => setTimeout(resolve, 300));
  await settle();
  const [threads, files] = [threadCount(), openFileCount()];
  for (let count = 0; count < ROUNDS; count++) await round();
  await settle();
  assert.deepEqual([mappingCount(`queue.${name}`), descriptorCount(`queue.${name}`)], [0, 0]);
  // The runtime's own may come and go.
  assert.ok(threadCount() <= threads + 4, `${threadCount()} threads, ${threads} before`);
  assert.ok(openFileCount() <= files + 8, `${openFileCount()} descriptors, ${files} before`);
}
Deno.exit(0);
