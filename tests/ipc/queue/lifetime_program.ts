/**
 * What is tested of the threads and descriptors of queues, in a process of its own: in that of the tests, which run side by side, others have
 * theirs.
 */
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
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [threads, files] = [threadCount(), openFileCount()];
  for (let count = 0; count < ROUNDS; count++) await round();
  // The runtime's own may come and go; whoever started this program gives it up if ours never end.
  const isSettled = () =>
    mappingCount(`queue.${name}`) === 0 && descriptorCount(`queue.${name}`) === 0 &&
    threadCount() <= threads + 4 && openFileCount() <= files + 8;
  while (!isSettled()) await new Promise((resolve) => setTimeout(resolve, 10));
}
Deno.exit(0);
