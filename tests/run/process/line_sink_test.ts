import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ByteQueue, FileSink, nullSink, PrefixedSink } from "../../../src/run/process/line_sink.ts";
import { processTest } from "../../support/process_harness.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("PrefixedSink.write() puts its prefix before each line, and never tears one", async () => {
  const written: Record<string, string> = { stdout: "", stderr: "" };
  const queueOf = (stream: string) =>
    new ByteQueue(async (bytes) => {
      await null;
      written[stream] += new TextDecoder().decode(bytes);
    });
  const queues = { stdout: queueOf("stdout"), stderr: queueOf("stderr") };
  const [a, b] = [new PrefixedSink("a/0: ", queues), new PrefixedSink("b/0: ", queues)];
  for (const word of ["one", "two"]) {
    a.write("stdout", bytes(word));
    b.write("stdout", bytes(word));
    b.write("stderr", bytes(word));
  }
  await a.close();
  assertEquals(written, {
    stdout: "a/0: one\nb/0: one\na/0: two\nb/0: two\n",
    stderr: "b/0: one\nb/0: two\n",
  });
});

Deno.test("ByteQueue.push() says when too much waits, and when there is room again", async () => {
  const release = Promise.withResolvers<void>();
  let writtenBytes = 0;
  const queue = new ByteQueue(async (bytes) => {
    await release.promise;
    writtenBytes += bytes.byteLength;
  });
  assertStrictEquals(queue.push(new Uint8Array(200_000)), undefined);
  const full = queue.push(new Uint8Array(200_000));
  assert(full instanceof Promise);
  release.resolve();
  await full;
  assertStrictEquals(writtenBytes, 400_000);
  assertStrictEquals(queue.push(new Uint8Array(1)), undefined);
  await queue.drained();
});

Deno.test("ByteQueue.push() goes on after a write that failed, and tells it once until one succeeds", async () => {
  let writes = 0;
  const told: unknown[] = [];
  const queue = new ByteQueue(() => {
    writes++;
    return writes === 3 ? Promise.resolve() : Promise.reject(new Error(`disk full at ${writes}`));
  }, (error) => told.push(String(error)));
  for (let push = 0; push < 5; push++) {
    queue.push(new Uint8Array(1000));
    await queue.drained();
  }
  assertStrictEquals(writes, 5);
  assertEquals(told, ["Error: disk full at 1", "Error: disk full at 4"]);
});

processTest("FileSink.write() has the lines of both streams in their order", async (t) => {
  const sink = new FileSink(`${t.directory}/a.log`, { bytesMax: 1000, filesMax: 2 });
  sink.write("stdout", bytes("one"));
  sink.write("stderr", bytes("two"));
  await sink.close();
  assertStrictEquals(await Deno.readTextFile(`${t.directory}/a.log`), "one\ntwo\n");
  assertStrictEquals(nullSink.write("stdout", bytes("x")), undefined);
});
