import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { VERSION } from "../../src/cli/version.ts";
import { SharedQueue } from "../../src/ipc/queue/mod.ts";
import { assertDone, assertFailure, millrace, queueTest, start, startShell } from "./support.ts";

Deno.test("millrace --version and --help speak to standard output", async () => {
  assertStrictEquals(assertDone(await millrace(["--version"])), `${VERSION}\n`);
  assertMatch(assertDone(await millrace(["queue", "send", "--help"])), /^Usage: millrace queue send /);
});

Deno.test("millrace without a command says how it is used, to standard error", async () => {
  const { code, stdout, stderr } = await millrace([]);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^Usage: millrace /);
});

Deno.test("millrace refuses a wrong command line in one line, with 2", async () => {
  assertFailure(
    await millrace(["queue", "send", "jobs", "--fast"]),
    2,
    /'--fast'; see millrace queue send --help/,
  );
  assertFailure(await millrace(["queue", "send", "a/b", "x"]), 2, /name is "a\/b", expected/);
});

Deno.test("millrace says what it needs without the native library", async () => {
  const ended = await millrace(["queue", "create", "jobs"], { env: { MILLRACE_NATIVE: "off" } });
  assertFailure(ended, 1, /native library/);
});

/** Runs `body` in a new directory. */
async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_cli_" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function capacityOf(name: string): number {
  using queue = SharedQueue.connect(name);
  const { capacity } = queue;
  SharedQueue.unlink(name);
  return capacity;
}

queueTest(
  "millrace takes options from flags, the environment, and millrace.toml, in this order",
  async (name) => {
    await inDirectory(async (directory) => {
      await Deno.writeTextFile(join(directory, "millrace.toml"), "[queue]\ncapacity = 1\n");
      const create = ["queue", "create", name];
      assertDone(await millrace(create, { directory }));
      assertStrictEquals(capacityOf(name), 1);
      const env = { MILLRACE_QUEUE_CAPACITY: "2" };
      assertDone(await millrace(create, { directory, env }));
      assertStrictEquals(capacityOf(name), 2);
      assertDone(await millrace([...create, "--capacity", "3"], { directory, env }));
      assertStrictEquals(capacityOf(name), 3);
      assertDone(await millrace(create));
      assertStrictEquals(capacityOf(name), 1024);
    });
  },
);

queueTest("millrace takes the file from --config, then from MILLRACE_CONFIG", async (name) => {
  await inDirectory(async (directory) => {
    const [one, two] = [join(directory, "one.toml"), join(directory, "two.toml")];
    await Deno.writeTextFile(one, "[queue]\ncapacity = 1\n");
    await Deno.writeTextFile(two, "[queue]\ncapacity = 2\n");
    const env = { MILLRACE_CONFIG: two };
    assertDone(await millrace(["queue", "create", name], { env }));
    assertStrictEquals(capacityOf(name), 2);
    assertDone(await millrace(["queue", "create", name, "--config", one], { env }));
    assertStrictEquals(capacityOf(name), 1);
  });
});

Deno.test("millrace names the source of what is wrong in its configuration", async () => {
  await inDirectory(async (directory) => {
    const create = ["queue", "create", "jobs"];
    const env = { MILLRACE_QUEUE_CAPACITY: "x" };
    assertFailure(
      await millrace(create, { env }),
      2,
      /^millrace: capacity is "x" \(from MILLRACE_QUEUE_CAPACITY\), expected 1 to 65536\n$/,
    );
    assertFailure(
      await millrace([...create, "--mode", "rw"]),
      2,
      /mode is "rw" \(from --mode\), expected octal/,
    );
    const file = join(directory, "millrace.toml");
    const cases: [text: string, message: RegExp][] = [
      [
        "[queue]\ncapcity = 8",
        /queue\.capcity \(from millrace\.toml\) is unknown, expected one of capacity, /,
      ],
      [
        "[queue]\ncapacity = '8'",
        /capacity is "8" \(from queue\.capacity in millrace\.toml\), expected 1 to 65536/,
      ],
      ["[queue]\nmode = 600", /mode is 600 \(from queue\.mode in millrace\.toml\), expected octal digits/],
      ["[queue\n", /millrace\.toml:1:\d+: /],
    ];
    for (const [text, message] of cases) {
      await Deno.writeTextFile(file, text);
      assertFailure(await millrace(create, { directory }), 2, message);
    }
    assertFailure(
      await millrace([...create, "--config", "none.toml"]),
      2,
      /"none.toml" \(from --config\), expected a file that can be read: it does not exist/,
    );
  });
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  queueTest(`millrace ends with ${code} when ${signal} leaves work undone`, async (name) => {
    using queue = SharedQueue.create(name, { capacity: 2 });
    await using receiving = start(["queue", "receive", name, "--count", "2"]);
    await queue.send("one");
    await receiving.says(/one\n/);
    receiving.kill(signal);
    const ended = await receiving.ended();
    assertEquals([ended.code, ended.signal], [code, null]);
    assertStrictEquals(ended.stderr, `millrace: stopped by ${signal}\n`);
  });
}

queueTest("millrace takes a SIGINT that comes twice for one", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 2 });
  await using following = start(["queue", "receive", name, "--follow"]);
  await queue.send("one");
  await following.says(/one\n/);
  // Within the same moment, both are one Ctrl-C.
  following.kill("SIGINT");
  following.kill("SIGINT");
  assertDone(await following.ended());
});

queueTest("millrace ends quietly when the reader of its output has gone", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 4096 });
  await queue.sendMany(Array.from({ length: 4096 }, (_, number) => `${number} ${"x".repeat(100)}`));
  const line = `{ millrace queue receive "$1"; echo "$?" >&2; } | head -n 2 | cut -c 1-3`;
  await using pipeline = startShell(line, [name]);
  const { code, stdout, stderr } = await pipeline.ended();
  assertEquals([code, stdout, stderr], [0, "0 x\n1 x\n", "0\n"]);
  assert(queue.status().readyCount > 0, "what was not written is still there");
});

Deno.test("millrace --help ends quietly when nobody reads it", async () => {
  await using pipeline = startShell("{ millrace queue --help; echo $? >&2; } | true");
  assertStrictEquals((await pipeline.ended()).stderr, "0\n");
});

queueTest("millrace says what it could not read or write, and keeps the message", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  await queue.send("one");
  await using full = startShell('millrace queue receive "$1" > /dev/full', [name]);
  assertFailure(await full.ended(), 1, /write to standard output: No space left/);
  assertStrictEquals(queue.status().readyCount, 1);
  await using directory = startShell('millrace queue send "$1" < /', [name]);
  assertFailure(await directory.ended(), 1, /read standard input: .*; messages sent: 0/);
});

queueTest("millrace ends with the code it would have, though its errors cannot be written", async (name) => {
  assertDone(await millrace(["queue", "create", name]));
  for (const where of ["2> /dev/full", "2>&-"]) {
    await using shell = startShell(`millrace queue create "$1" ${where}`, [name]);
    assertStrictEquals((await shell.ended()).code, 6, where);
  }
});
