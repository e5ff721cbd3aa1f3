import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { HEADER_BYTES as REGION_HEADER_BYTES } from "../../../src/ipc/memory/layout.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { type QueueCreateOptions, SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { TemporaryDirectory } from "../memory/support.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import {
  commandFailure,
  NO_CAPABILITIES,
  NOBODY,
  otherUserFailure,
  reportOf,
  smallDisk,
} from "../../support/system.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

// What a system says no to: memory that is not there, and users who may not.

/** Runs a program that knows queues behind `command`, and gives what it printed as JSON. */
function queueReport(command: string, args: readonly string[], program: string): Promise<unknown> {
  return reportOf(command, args, `import { SharedMailbox, SharedQueue } from ${QUEUE_URL};\n${program}`);
}

let mountFailure = nativeSkipReason();
if (mountFailure === undefined) {
  using temporary = new TemporaryDirectory();
  mountFailure = commandFailure("unshare", [...smallDisk(temporary.directory, "64k"), "true"]);
}
nameSkipReason("SharedQueue where memory is short", mountFailure);

function smallTest(name: string, body: (directory: string) => Promise<void>): void {
  if (mountFailure !== undefined) return;
  nativeTest(name, async () => {
    using temporary = new TemporaryDirectory();
    await body(temporary.directory);
  });
}

smallTest(
  "SharedQueue.create() throws where there is no room, and leaves nothing behind",
  async (directory) => {
    const report = await queueReport(
      "unshare",
      smallDisk(directory, "1m"),
      `
    const directory = ${JSON.stringify(directory)};
    const names = () => [...Deno.readDirSync(directory)].map(({ name }) => name);
    const [, code, message] = failureOf(() => SharedQueue.create("q", { directory }));
    const left = names();
    const queue = SharedQueue.create("q", { directory, capacity: 4, messageBytesMax: 1000 });
    const mailbox = failureOf(() => SharedMailbox.create(queue, { boxes: { 1: 1 } }));
    const full = names();
    // All of its memory is there already.
    let sent = 0;
    while (queue.trySend(new Uint8Array(1000))) sent++;
    console.log(JSON.stringify([code, message.length > 0, left, mailbox[1], full, sent]));
  `,
    );
    assertEquals(report, ["ENOSPC", true, [], "ENOSPC", ["millrace.queue.q"], 4]);
  },
);

smallTest("SharedQueue.create() throws where /dev/shm is full, and leaves nothing behind", async () => {
  const report = await queueReport(
    "unshare",
    smallDisk("/dev/shm", "256k"),
    `
    const [, code] = failureOf(() => SharedQueue.create("q"));
    console.log(JSON.stringify([code, SharedQueue.list(), [...Deno.readDirSync("/dev/shm")].length]));
  `,
  );
  assertEquals(report, ["ENOSPC", [], 0]);
});

smallTest(
  "SharedQueue.connect() takes the memory that a copy with holes lacks, or says so",
  async (directory) => {
    const report = await queueReport(
      "unshare",
      smallDisk(directory, "1m"),
      `
    const directory = ${JSON.stringify(directory)};
    const [path, copy, filler] = ["millrace.queue.q", "copy", "filler"].map((name) => directory + "/" + name);
    SharedQueue.create("q", { directory, capacity: 100, messageBytesMax: 1000 }).close();
    // As backups come back: what was zero takes no room.
    const bytes = Deno.readFileSync(path);
    Deno.removeSync(path);
    Deno.createSync(copy).close();
    Deno.truncateSync(copy, bytes.length);
    using file = Deno.openSync(copy, { write: true });
    file.writeSync(bytes.subarray(0, 8192));
    Deno.renameSync(copy, path);
    try {
      Deno.writeFileSync(filler, new Uint8Array(2_000_000));
    } catch {
      // It is full.
    }
    const [, code] = failureOf(() => SharedQueue.connect("q", { directory }));
    Deno.removeSync(filler);
    const queue = SharedQueue.connect("q", { directory });
    try {
      Deno.writeFileSync(filler, new Uint8Array(2_000_000));
    } catch {
      // All of its memory is there already.
    }
    let sent = 0;
    while (queue.trySend(new Uint8Array(1000))) sent++;
    console.log(JSON.stringify([code, sent]));
  `,
    );
    assertEquals(report, ["ENOSPC", 100]);
  },
);

const userFailure = nativeSkipReason() ?? otherUserFailure();
nameSkipReason("SharedQueue of another user", userFailure);

if (userFailure === undefined) {
  nativeTest("SharedQueue of another user is out of reach, and neither listed nor removed", async () => {
    using names = new QueueNames();
    const name = names.next();
    SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 }).close();
    await Deno.chown(`/dev/shm/millrace.queue.${name}`, NOBODY, NOBODY);
    const report = await queueReport(
      "setpriv",
      NO_CAPABILITIES,
      `
      const name = ${JSON.stringify(name)};
      console.log(JSON.stringify([
        failureOf(() => SharedQueue.connect(name)).slice(0, 2),
        failureOf(() => SharedQueue.create(name)).slice(0, 2),
        SharedQueue.list().some((info) => info.name === name),
        SharedQueue.removeAbandoned({ prefix: name }),
      ]));
    `,
    );
    assertEquals(report, [["PermissionDenied", "EACCES"], ["AlreadyExists", ""], false, []]);
  });

  nativeTest("SharedQueue that its mode opens to others is theirs, too", async () => {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, { capacity: 4, messageBytesMax: 8, mode: 0o666 });
    await Deno.chown(`/dev/shm/millrace.queue.${name}`, NOBODY, NOBODY);
    queue.trySend("a");
    const report = await queueReport(
      "setpriv",
      NO_CAPABILITIES,
      `
      using queue = SharedQueue.connect(${JSON.stringify(name)});
      queue.trySend("b");
      console.log(JSON.stringify([queue.tryReceive().text()]));
    `,
    );
    assertEquals([report, queue.tryReceive()?.text()], [["a"], "b"]);
  });
}

nativeTest("SharedQueue.connect() refuses what another program has put there, and leaves it as it is", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.queue.q`;
  for (const text of ["x", "another program's".repeat(1000)]) {
    Deno.writeTextFileSync(path, text);
    assertThrows(() => SharedQueue.connect("q", { directory }), Deno.errors.InvalidData);
    assertThrows(() => SharedQueue.create("q", { directory }), Deno.errors.AlreadyExists);
    assertEquals(SharedQueue.removeAbandoned({ directory }), []);
    assertStrictEquals(Deno.readTextFileSync(path), text);
  }
  Deno.removeSync(path);
  // A region of Millrace's that is no queue.
  SharedMemory.create("queue.q", { byteLength: 100_000, directory }).close();
  assertThrowsMatching(() => SharedQueue.connect("q", { directory }), {
    name: "InvalidData",
    message: /it is no queue$/,
  });
  assertEquals([SharedQueue.list({ directory }), SharedQueue.removeAbandoned({ directory })], [[], []]);
  Deno.removeSync(path);
  Deno.mkdirSync(path);
  assertThrows(() => SharedQueue.create("q", { directory }), Deno.errors.AlreadyExists);
});

nativeTest("SharedQueue.unlink() leaves what is no queue as it is", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.queue.q`;
  const refused = { name: "InvalidData", message: /^unlink queue q in .*; it is left as it is$/ };
  for (const text of ["x", "another program's".repeat(1000)]) {
    Deno.writeTextFileSync(path, text);
    assertThrowsMatching(() => SharedQueue.unlink("q", { directory }), refused);
    assertStrictEquals(Deno.readTextFileSync(path), text);
  }
  Deno.removeSync(path);
  const link = `${directory}/linked`;
  Deno.writeTextFileSync(link, "");
  Deno.symlinkSync(link, path);
  assertThrows(() => SharedQueue.unlink("q", { directory }), Deno.errors.FilesystemLoop);
  Deno.removeSync(path);
  for (const byteLength of [1, 100_000]) {
    SharedMemory.create("queue.q", { byteLength, directory }).close();
    assertThrowsMatching(() => SharedQueue.unlink("q", { directory }), refused);
    SharedMemory.unlink("queue.q", { directory });
  }
});

nativeTest("SharedQueue.unlink() takes a damaged queue away, and what is left of one", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.queue.q`;
  // Behind the region's magic number, and behind the queue's.
  for (const at of [16, REGION_HEADER_BYTES + 4, REGION_HEADER_BYTES + 12]) {
    SharedQueue.create("q", { capacity: 1, messageBytesMax: 1, directory }).close();
    using file = Deno.openSync(path, { write: true });
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array([0xff, 0xff, 0xff, 0xff]));
    assertThrows(() => SharedQueue.connect("q", { directory }), Deno.errors.InvalidData);
    SharedQueue.unlink("q", { directory });
    assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
  }
  // Its creator died right after it had made the file.
  Deno.writeTextFileSync(path, "");
  SharedQueue.unlink("q", { directory });
  assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
});

nativeTest("SharedQueue.unlink() takes a mailbox away with its queue, and nothing else of that name", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.mailbox.q`;
  SharedQueue.create("q", { capacity: 1, messageBytesMax: 1, directory }).close();
  Deno.writeTextFileSync(path, "another program's");
  const refused = {
    name: "InvalidData",
    message: /^unlink the mailbox of queue q in .*; it is left as it is$/,
  };
  assertThrowsMatching(() => SharedMailbox.unlink("q", { directory }), refused);
  SharedQueue.unlink("q", { directory });
  assertStrictEquals(Deno.readTextFileSync(path), "another program's");
  Deno.removeSync(path);
  for (const make of [() => Deno.mkdirSync(path), () => Deno.symlinkSync("elsewhere", path)]) {
    SharedQueue.create("q", { capacity: 1, messageBytesMax: 1, directory }).close();
    make();
    SharedQueue.unlink("q", { directory });
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["millrace.mailbox.q"]);
    Deno.removeSync(path);
  }
});

nativeTest("SharedQueue and SharedMailbox: errors of the system speak of queues and mailboxes", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.queue.q`;
  const create = (options: QueueCreateOptions = {}) =>
    SharedQueue.create("q", { capacity: 1, messageBytesMax: 1, directory, ...options });
  assertThrowsMatching(() => create({ mode: 0o200 }), {
    message: /^create queue q: mode is 0o200, expected /,
  });
  assertThrowsMatching(() => create({ directory: "/nowhere" }), {
    message: /^create queue q in \/nowhere: no such /,
  });
  Deno.writeTextFileSync(path, "another program's");
  assertThrowsMatching(() => SharedQueue.connect("q", { directory }), {
    message: /^connect to queue q in .*: it has /,
  });
  Deno.removeSync(path);
  using queue = create();
  assertThrowsMatching(() => SharedMailbox.connect(queue), {
    message: "connect to the mailbox of queue q: there is none",
  });
  SharedMailbox.create(queue, { boxes: { 1: 1 } }).close();
  const again = { message: "create the mailbox of queue q: it exists already" };
  assertThrowsMatching(() => SharedMailbox.create(queue, { boxes: { 1: 1 } }), again);
  Deno.writeTextFileSync(`${directory}/millrace.mailbox.q`, "another program's");
  assertThrowsMatching(() => SharedMailbox.connect(queue), {
    message: /^connect to the mailbox of queue q in .*: it has /,
  });
});

nativeTest("SharedMailbox.connect() refuses what is no mailbox", () => {
  using names = new QueueNames();
  using queue = SharedQueue.create(names.next(), { capacity: 1, messageBytesMax: 1 });
  try {
    for (const byteLength of [1, 20, 4096, 100_000]) {
      SharedMemory.create(`mailbox.${queue.name}`, { byteLength }).close();
      assertThrows(() => SharedMailbox.connect(queue), Deno.errors.InvalidData);
      SharedMemory.unlink(`mailbox.${queue.name}`);
    }
    assertStrictEquals(queue.trySend("x"), true);
  } finally {
    queue.close();
  }
});

nativeTest("SharedQueue refuses sizes that are none, whatever they are", () => {
  using names = new QueueNames();
  const name = names.next();
  const wrongs: unknown[] = [NaN, Infinity, -1, 0.5, 2 ** 53, "3", null, {}];
  for (const wrong of wrongs) {
    for (const option of ["capacity", "messageBytesMax", "priorities", "partitions", "deadLetterCountMax"]) {
      assertThrowsMatching(() => SharedQueue.create(name, { [option]: wrong }), {
        name: "RangeError",
        message: new RegExp(`^create queue: ${option} is `),
      });
    }
  }
  for (const wrong of [NaN, -1, 0.5, 0]) {
    assertThrows(() => SharedQueue.create(name, { deliveryCountMax: wrong }), RangeError);
  }
  assertEquals(SharedQueue.list({ prefix: name }), []);
});
