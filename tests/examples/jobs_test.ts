import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { nativeStatus } from "../../ffi/mod.ts";
import { JOBS_SHAPE } from "../../examples/support/jobs.ts";
import { SharedQueue } from "../../src/ipc/queue/mod.ts";
import { QueueNames } from "../ipc/queue/support.ts";
import { type Child, startExample } from "../support/net_child.ts";

const ignore = !nativeStatus().available;

function exampleTest(name: string, body: (queue: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      using names = new QueueNames();
      await body(names.next());
    },
  });
}

async function assertEnds(child: Child, stdout: RegExp): Promise<void> {
  const ended = await child.ended();
  assertEquals([ended.code, ended.signal, ended.stderr], [0, null, ""]);
  assertMatch(ended.stdout, stdout);
}

exampleTest("examples/producer.ts makes the queue, and sends as many jobs as it is told", async (name) => {
  await using producer = await startExample("producer", ["--queue", name, "--count", "600"]);
  await assertEnds(producer, /\n600 jobs sent in all\n$/);
  using queue = SharedQueue.connect(name);
  assertStrictEquals(queue.status().readyCount, 600);
  assertEquals(queue.tryReceive()?.json(), { number: 0 });
});

exampleTest("examples/producer.ts --rate keeps its pace, in a queue that is there", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 64 });
  const startMs = performance.now();
  await using producer = await startExample("producer", ["--queue", name, "--rate", "20", "--count", "6"]);
  await assertEnds(producer, /\n6 jobs sent in all\n$/);
  assert(performance.now() - startMs >= 240, "six jobs are five pauses of 50 ms");
  assertStrictEquals(queue.status().readyCount, 6);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  exampleTest(`examples/producer.ts ends at ${signal}, also while the queue is full`, async (name) => {
    using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 64 });
    await using producer = await startExample("producer", ["--queue", name]);
    await producer.says(/8 jobs sent, 8 wait for a worker\n/);
    producer.kill(signal);
    await assertEnds(producer, /\n8 jobs sent in all\n$/);
    assertStrictEquals(queue.status().readyCount, 8);
  });

  exampleTest(`examples/worker.ts finishes its job at ${signal}, and ends`, async (name) => {
    await using producer = await startExample("producer", ["--queue", name, "--count", "20"]);
    await assertEnds(producer, /20 jobs sent in all/);
    await using worker = await startExample("worker", ["--queue", name, "--work-ms", "300"]);
    await worker.says(/job 0\n/);
    worker.kill(signal);
    await assertEnds(worker, /\njob 0\n1 jobs done\n$/);
    using queue = SharedQueue.connect(name);
    const { readyCount, reservedCount } = queue.status();
    assertEquals([readyCount, reservedCount], [19, 0]);
  });

  exampleTest(`examples/worker.ts ends at ${signal} while it waits for a job`, async (name) => {
    await using worker = await startExample("worker", ["--queue", name]);
    await worker.says(/working on jobs/);
    worker.kill(signal);
    await assertEnds(worker, /\n0 jobs done\n$/);
  });
}

exampleTest("examples/worker.ts puts aside what is no job, and goes on with the next", async (name) => {
  using queue = SharedQueue.create(name, JOBS_SHAPE);
  const texts = ["one", "null", '{"number":"1"}'];
  const ids = await queue.sendMany(texts);
  await queue.send('{"number":7}');
  await using worker = await startExample("worker", ["--queue", name, "--work-ms", "0", "--count", "1"]);
  const { code, stdout, stderr } = await worker.ended();
  assertEquals([code, stdout], [0, `working on jobs of ${name}\njob 7\n1 jobs done\n`]);
  const lines = ids.map((id) => `worker: message ${id} is no job of a producer, and is given back`);
  for (const line of stderr.trim().split("\n")) assert(lines.includes(line), line);
  await using again = await startExample("worker", ["--queue", name, "--work-ms", "0", "--count", "1"]);
  for (const _text of texts) await queue.deadLetters.receive();
  await queue.send('{"number":8}');
  assertStrictEquals((await again.ended()).code, 0);
});

exampleTest("examples/worker.ts shares the jobs with others of its kind", async (name) => {
  await using one = await startExample("worker", ["--queue", name, "--work-ms", "20", "--count", "10"]);
  await using two = await startExample("worker", ["--queue", name, "--work-ms", "20", "--count", "10"]);
  await Promise.all([one.says(/working/), two.says(/working/)]);
  await using producer = await startExample("producer", ["--queue", name, "--count", "20"]);
  await assertEnds(producer, /20 jobs sent in all/);
  await assertEnds(one, /\n10 jobs done\n$/);
  await assertEnds(two, /\n10 jobs done\n$/);
  const done = [one, two].flatMap(({ stdout }) =>
    [...stdout.matchAll(/^job (\d+)$/mg)].map(([, job]) => Number(job))
  );
  assertEquals(done.sort((a, b) => a - b), Array.from({ length: 20 }, (_, job) => job));
});

exampleTest("examples/worker.ts does the job of another that was killed", async (name) => {
  await using producer = await startExample("producer", ["--queue", name, "--count", "1"]);
  await assertEnds(producer, /1 jobs sent in all/);
  await using first = await startExample("worker", ["--queue", name, "--work-ms", "60000"]);
  await first.says(/job 0\n/);
  await using second = await startExample("worker", ["--queue", name, "--work-ms", "0", "--count", "1"]);
  await second.says(/working/);
  first.kill("SIGKILL");
  await assertEnds(second, /\njob 0, again: delivered 1 times before\n1 jobs done\n$/);
});

const WRONG: [name: string, args: string[], named: RegExp][] = [
  ["producer", ["--rate", "0"], /--rate is "0", expected a whole number from 1 to 1000000/],
  ["producer", ["--count", "x"], /--count is "x"/],
  ["producer", ["--rat", "1"], /--rat/],
  ["producer", ["stray"], /stray/],
  ["worker", ["--work-ms=-1"], /--work-ms is "-1"/],
  ["worker", ["--work-ms=1.5"], /--work-ms is "1\.5"/],
  ["worker", ["--cuont", "1"], /--cuont/],
];
for (const [name, args, named] of WRONG) {
  Deno.test(`examples/${name}.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    await using child = await startExample(name, args);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, new RegExp(`^${name}: .*; usage: ${name} .*\\n$`));
    assertMatch(stderr, named);
  });
}

for (const name of ["producer", "worker"]) {
  Deno.test(`examples/${name}.ts says what it needs without the native library`, async () => {
    await using child = await startExample(name, [], { MILLRACE_NATIVE: "off" });
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`^${name}: .*native library.*\\n$`));
  });

  Deno.test(`examples/${name}.ts --help says how it is used and exits with 0`, async () => {
    await using child = await startExample(name, ["--help"]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, new RegExp(`^usage: ${name} .*\\n$`));
  });
}
