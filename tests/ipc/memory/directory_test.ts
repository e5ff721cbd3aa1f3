import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { closeDescriptor, native, openSharedObject } from "../../../ffi/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import {
  descriptorCount,
  listed,
  mappingCount,
  RegionNames,
  TemporaryDirectory,
  withNative,
} from "./support.ts";
import { testName } from "../../support/test_name.ts";

nameSkipReason("SharedMemory in a directory", nativeSkipReason());

nativeTest("SharedMemory in a directory is a file there, and of no other place", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const place = Object.freeze({ directory });
  const name = testName();
  const before = Deno.umask(0o077);
  try {
    using region = SharedMemory.create(name, Object.freeze({ byteLength: 10_000, mode: 0o640, directory }));
    assertEquals([region.name, region.directory, region.byteLength], [name, directory, 10_000]);
    using same = SharedMemory.connect(name, place);
    assertStrictEquals(same.directory, directory);
    region.bytes[9999] = 3;
    assertStrictEquals(same.bytes[9999], 3);
    assert(region.tryLock(4));
    assert(same.isLocked(4));
    assertStrictEquals(mappingCount(name), 1);
  } finally {
    Deno.umask(before);
  }
  assertEquals([mappingCount(name), descriptorCount(name)], [0, 0]);
  const { mode, size, blocks } = Deno.statSync(`${directory}/millrace.${name}`);
  assertEquals([Number(mode) & 0o7777, size], [0o640, 16_384]);
  assert(Number(blocks) * 512 >= 16_384);
  assertThrows(() => SharedMemory.connect(name), Deno.errors.NotFound);
  assertStrictEquals(listed(name), undefined);
  assertThrows(() => SharedMemory.create(name, { byteLength: 1, directory }), Deno.errors.AlreadyExists);
  // Another of the same name.
  using other = SharedMemory.create(name, { byteLength: 1 });
  try {
    assertEquals([other.directory, other.bytes[0]], [undefined, 0]);
    using again = SharedMemory.connect(name, place);
    assertStrictEquals(again.bytes[9999], 3);
    SharedMemory.unlink(name, place);
    assertThrows(() => SharedMemory.connect(name, place), Deno.errors.NotFound);
  } finally {
    SharedMemory.unlink(name);
  }
});

nativeTest("SharedMemory.list() and removeAbandoned() look at one directory", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const before = Date.now();
  for (const name of ["b.1", "a.1", "b.2"]) SharedMemory.create(name, { byteLength: 7, directory }).close();
  using _open = SharedMemory.connect("b.2", { directory });
  Deno.writeTextFileSync(`${directory}/other`, "somebody else's");
  Deno.writeTextFileSync(`${directory}/millrace.c`, "somebody else's");
  assertEquals(SharedMemory.list({ directory }).map(({ name }) => name), ["a.1", "b.1", "b.2"]);
  const [first, second] = SharedMemory.list({ directory, prefix: "b." });
  assertEquals([first.inUse, second.inUse], [false, true]);
  assertEquals([first.byteLength, first.mode, first.state], [7, 0o600, "ready"]);
  assertStrictEquals(first.createdBy?.pid, Deno.pid);
  assert(Number(first.createdAt) >= before && Number(first.createdBy?.startedAt) <= before);
  assertEquals(SharedMemory.list({ directory, prefix: "../../" }), []);
  assertEquals(SharedMemory.removeAbandoned({ directory, prefix: "b." }), ["b.1"]);
  assertEquals(SharedMemory.removeAbandoned({ directory }), ["a.1"]);
  const left = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  assertEquals(left, ["millrace.b.2", "millrace.c", "other"]);
});

nativeTest("SharedMemory says what is wrong with a directory", () => {
  using temporary = new TemporaryDirectory();
  const missing = `${temporary.directory}/missing`;
  const file = `${temporary.directory}/file`;
  Deno.writeTextFileSync(file, "");
  const calls: ((directory: string) => unknown)[] = [
    (directory) => SharedMemory.create("a", { byteLength: 1, directory }),
    (directory) => SharedMemory.connect("a", { directory }),
    (directory) => SharedMemory.unlink("a", { directory }),
    (directory) => SharedMemory.list({ directory }),
    (directory) => SharedMemory.removeAbandoned({ directory }),
  ];
  for (const call of calls) {
    for (const directory of ["", "a\0"]) {
      assertThrowsMatching(() => call(directory), {
        name: "RangeError",
        message: /^directory of shared memory: /,
      });
    }
    assertThrowsMatching(() => call(missing), {
      name: "NotFound",
      code: "ENOENT",
      message: /\/missing\b/,
    });
    assertThrowsMatching(() => call(file), { name: "NotADirectory", code: "ENOTDIR" });
  }
  assertThrowsMatching(() => SharedMemory.create("a", { byteLength: 1, directory: missing }), {
    message: /its directory is not there, and has to be made first$/,
  });
  assertEquals([...Deno.readDirSync(temporary.directory)].map(({ name }) => name), ["file"]);
});

nativeTest("SharedMemory in a directory follows no link, and passes over what is no file", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  SharedMemory.create("real", { byteLength: 1, directory }).close();
  Deno.symlinkSync(`${directory}/millrace.real`, `${directory}/millrace.link`);
  Deno.symlinkSync(`${directory}/nowhere`, `${directory}/millrace.dangling`);
  Deno.mkdirSync(`${directory}/millrace.directory`);
  using _socket = Deno.listen({ transport: "unix", path: `${directory}/millrace.socket` });
  for (const name of ["link", "dangling", "directory", "socket"]) {
    assertThrows(() => SharedMemory.create(name, { byteLength: 1, directory }), Deno.errors.AlreadyExists);
  }
  for (const name of ["link", "dangling"]) {
    assertThrows(() => SharedMemory.connect(name, { directory }), Deno.errors.FilesystemLoop);
  }
  assertEquals(SharedMemory.list({ directory }).map(({ name }) => name), ["real"]);
  assertEquals(SharedMemory.removeAbandoned({ directory }), ["real"]);
});

nativeTest("SharedMemory.connect() refuses a file that somebody has made shorter or longer", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.a`;
  SharedMemory.create("a", { byteLength: 5000, directory }).close();
  for (const fileBytes of [0, 47, 4096, 8192, 12_287, 12_289, 20_480]) {
    const copy = Deno.readFileSync(path);
    Deno.truncateSync(path, fileBytes);
    // An empty one is as a creator leaves it that has died.
    const { InvalidData, NotFound } = Deno.errors;
    const refused = fileBytes === 0 ? NotFound : InvalidData;
    assertThrowsMatching(() => SharedMemory.connect("a", { directory }), refused);
    Deno.writeFileSync(path, copy);
    SharedMemory.connect("a", { directory }).close();
  }
});

nativeTest("SharedMemory.create() leaves nothing where the file system lacks what it needs", () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const [ENODEV, ENOLCK, EOPNOTSUPP, EDQUOT, EIO] = [19, 37, 95, 122, 5];
  const cases = [
    ["millrace_region_map", ENODEV, "ENODEV", "NotSupported", /needs a local one, such as ext4/],
    ["millrace_lock", ENOLCK, "ENOLCK", "NotSupported", /needs a local one, such as ext4/],
    ["millrace_shm_reserve", EOPNOTSUPP, "EOPNOTSUPP", "NotSupported", /needs a local one, such as ext4/],
    ["millrace_shm_reserve", EDQUOT, "EDQUOT", "Error", /quota/],
    ["millrace_shm_sync", EIO, "EIO", "Error", /may be lost/],
  ] as const;
  for (const [call, errno, code, name, message] of cases) {
    withNative({ [call]: () => -errno }, () => {
      assertThrowsMatching(() => SharedMemory.create("a", { byteLength: 1, directory }), {
        code,
        name,
        message,
      });
    });
    assertEquals([...Deno.readDirSync(directory)], []);
    assertEquals([mappingCount("a"), descriptorCount("a")], [0, 0]);
  }
});

nativeTest(
  "SharedMemory.create() has all on the disk before it says that it is ready, and that before it returns",
  () => {
    using temporary = new TemporaryDirectory();
    const { directory } = temporary;
    const calls: string[] = [];
    const watched = [
      "millrace_write_at",
      "millrace_shm_reserve",
      "millrace_shm_sync",
      "millrace_region_map",
    ] as const;
    const seen = (name: (typeof watched)[number]) => {
      const call = native()[name] as (...parameters: unknown[]) => number;
      return (...parameters: unknown[]) => {
        calls.push(name.replace("millrace_", ""));
        return call(...parameters);
      };
    };
    withNative(Object.fromEntries(watched.map((name) => [name, seen(name)])), () => {
      const initialize = () => void calls.push("initialize");
      SharedMemory.create("a", { byteLength: 1, directory, initialize }).close();
    });
    assertEquals(calls, [
      "write_at",
      "shm_sync",
      "shm_reserve",
      "region_map",
      "initialize",
      "shm_sync",
      "write_at",
      "shm_sync",
    ]);
  },
);

nativeTest(
  "SharedMemory.sync() resolves when all is written, also when the region is closed meanwhile",
  async () => {
    using temporary = new TemporaryDirectory();
    const { directory } = temporary;
    const region = SharedMemory.create("a", { byteLength: 4_000_000, directory });
    const same = SharedMemory.connect("a", { directory });
    for (let round = 1; round <= 3; round++) {
      region.bytes.fill(round);
      await Promise.all([region.sync(), same.sync(), region.sync()]);
    }
    region.bytes.fill(4);
    assert(region.tryLock(0));
    const synced = [region.sync(), same.sync()];
    region.close();
    // Locks are not kept by a sync that is under way.
    assertStrictEquals(same.isLocked(0), false);
    same.close();
    await Promise.all(synced);
    assertEquals([mappingCount("a"), descriptorCount("a")], [0, 0]);
    await assertRejectsMatching(() => region.sync(), {
      name: "BadResource",
      message: "sync shared memory a: it is closed",
    });
    const file = await Deno.readFile(`${directory}/millrace.a`);
    assert(file.subarray(4096, 4096 + 4_000_000).every((byte) => byte === 4));
  },
);

nativeTest("SharedMemory.sync() has nothing to do for the system's memory", async () => {
  using names = new RegionNames();
  using region = SharedMemory.create(names.next(), { byteLength: 1 });
  const fail = () => {
    throw new Error("called");
  };
  await withNative({ millrace_sync_request: fail }, () => region.sync());
});

nativeTest("SharedMemory.sync() rejects with what the system says", async () => {
  using temporary = new TemporaryDirectory();
  using region = SharedMemory.create("a", { byteLength: 1, directory: temporary.directory });
  for (const [errno, code] of [[5, "EIO"], [28, "ENOSPC"]] as const) {
    const failed = withNative({ millrace_sync_request: () => -errno }, () => region.sync());
    await assertRejectsMatching(() => failed, {
      name: "Error",
      code,
      operation: "sync shared memory",
      errno,
    });
  }
  await region.sync();
});

nativeTest("openSharedObject() takes a name with a directory as that of a file", () => {
  using temporary = new TemporaryDirectory();
  Deno.writeTextFileSync(`${temporary.directory}/a`, "");
  closeDescriptor(openSharedObject(`${temporary.directory}/a`));
  assertThrows(() => openSharedObject("/a"), Deno.errors.NotFound);
  assertThrowsMatching(() => openSharedObject(`${temporary.directory}/b`), {
    name: "NotFound",
    message: /there is no such region, or no such directory$/,
  });
});
