import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import {
  closeDescriptor,
  createSharedObject,
  listSharedObjects,
  openSharedObject,
  resize,
  tryLockByte,
  unlinkSharedObject,
  writeAt,
} from "../../../ffi/mod.ts";
import { AT, encodeHeader, LOCK_AT, STATE } from "../../../src/ipc/memory/layout.ts";
import {
  SHARED_MEMORY_BYTES_MAX,
  SHARED_MEMORY_LOCK_COUNT,
  SHARED_MEMORY_NAME_LENGTH_MAX,
  SharedMemory,
} from "../../../src/ipc/memory/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { descriptorCount, listed, mappingCount, RegionNames } from "./support.ts";
import { testName } from "../../support/test_name.ts";

nameSkipReason("SharedMemory", nativeSkipReason());

nativeTest("SharedMemory.create() makes zeroes of exactly the length that was asked for", () => {
  using names = new RegionNames();
  for (const byteLength of [1, 7, 4095, 4096, 4097, 100_000]) {
    const name = names.next();
    using region = SharedMemory.create(name, { byteLength });
    assertStrictEquals(region.name, name);
    assertStrictEquals(region.byteLength, byteLength);
    assertEquals([region.bytes.byteLength, region.bytes.byteOffset], [byteLength, 0]);
    assertStrictEquals(region.bytes.buffer.byteLength, byteLength);
    assert(region.bytes.every((byte) => byte === 0));
    region.bytes.fill(255);
    using same = SharedMemory.connect(name);
    assertStrictEquals(same.byteLength, byteLength);
    assert(same.bytes.every((byte) => byte === 255));
  }
});

nativeTest("SharedMemory.create() refuses a name that is taken, whatever has it", () => {
  using names = new RegionNames();
  const name = names.next();
  using region = SharedMemory.create(name, { byteLength: 10 });
  assertThrowsMatching(() => SharedMemory.create(name, { byteLength: 10 }), {
    name: "AlreadyExists",
    message: `create shared memory ${name}: exists already (EEXIST)`,
  });
  region.close();
  assertThrows(() => SharedMemory.create(name, { byteLength: 10 }), Deno.errors.AlreadyExists);
  using again = SharedMemory.connect(name);
  assertStrictEquals(again.byteLength, 10);
});

nativeTest("SharedMemory.create() fills a region before anybody can open it", () => {
  using names = new RegionNames();
  const name = names.next();
  const states: unknown[] = [];
  const options = Object.freeze({
    byteLength: 5000,
    initialize(bytes: Uint8Array<ArrayBuffer>) {
      assertStrictEquals(bytes.byteLength, 5000);
      assert(bytes.every((byte) => byte === 0));
      bytes.fill(8);
      states.push(listed(name)?.state);
      assertThrows(() => SharedMemory.connect(name), Deno.errors.Busy);
      assertThrows(() => SharedMemory.create(name, { byteLength: 1 }), Deno.errors.AlreadyExists);
    },
  });
  using region = SharedMemory.create(name, options);
  using same = SharedMemory.connect(name);
  for (const { bytes } of [region, same]) assert(bytes.every((byte) => byte === 8));
  assertEquals(states, ["being made"]);
});

nativeTest("SharedMemory.open() makes a region or opens it, and refuses options that do not fit it", () => {
  using names = new RegionNames();
  const name = names.next();
  const initialize = (bytes: Uint8Array<ArrayBuffer>) => void bytes.fill(3);
  using made = SharedMemory.open(name, { byteLength: 10, mode: 0o640, initialize });
  assertEquals([made.mode, made.bytes[9]], [0o640, 3]);
  const other = (bytes: Uint8Array<ArrayBuffer>) => void bytes.fill(4);
  using found = SharedMemory.open(name, { byteLength: 10, initialize: other });
  assertEquals([found.mode, found.bytes[9]], [0o640, 3]);
  const refused = (found: string) => ({
    name: "AlreadyExists",
    message: `open shared memory ${name}: ${found}`,
  });
  assertThrowsMatching(
    () => SharedMemory.open(name, { byteLength: 11 }),
    refused("byteLength is 10, expected 11"),
  );
  const mode = 0o600;
  assertThrowsMatching(
    () => SharedMemory.open(name, { byteLength: 10, mode }),
    refused("mode is 0o640, expected 0o600"),
  );
  const failure = new Error("on purpose");
  const check = (region: SharedMemory) => {
    assertStrictEquals(region.byteLength, 10);
    throw failure;
  };
  assertThrowsMatching(() => SharedMemory.open(name, { byteLength: 11, check }), failure);
  assertThrows(() => SharedMemory.open(names.next(), { byteLength: 0 }), RangeError);
  assertStrictEquals(descriptorCount(name), 2);
});

nativeTest("SharedMemory.create() leaves nothing behind when initialize throws, or is asynchronous", () => {
  using names = new RegionNames();
  const name = names.next();
  const failure = new Error("on purpose");
  let kept = new Uint8Array();
  const initialize = (bytes: Uint8Array<ArrayBuffer>) => {
    kept = bytes;
    throw failure;
  };
  assertThrowsMatching(
    () => SharedMemory.create(name, { byteLength: 10, initialize }),
    (error) => error === failure,
  );
  assertStrictEquals(kept.byteLength, 0);
  assertThrowsMatching(
    () => SharedMemory.create(name, { byteLength: 10, initialize: () => Promise.resolve() }),
    {
      name: "TypeError",
      message: /initialize gave a promise/,
    },
  );
  assertStrictEquals(listed(name), undefined);
  assertEquals([mappingCount(name), descriptorCount(name)], [0, 0]);
  using _region = SharedMemory.create(name, { byteLength: 10 });
});

nativeTest("SharedMemory.create() removes what is half-made and nobody's, and nothing else", () => {
  const made = new Uint8Array(
    encodeHeader({ byteLength: 5, creatorPid: 1, creatorStartedMs: 0, createdMs: 0 }),
  );
  for (
    const [bytes, isRepaired] of [
      [new Uint8Array(), true],
      [made, true],
      [new Uint8Array(1), false],
      [new Uint8Array(8192), false],
      [new TextEncoder().encode("somebody else's".padEnd(5000)), false],
    ] as const
  ) {
    using names = new RegionNames();
    const name = names.next();
    const fd = createSharedObject(`/millrace.${name}`);
    writeAt(fd, bytes, 0);
    assert(tryLockByte(fd, LOCK_AT.open, "shared"));
    // Whoever has it locked may be at it.
    assertThrows(() => SharedMemory.create(name, { byteLength: 5 }), Deno.errors.AlreadyExists);
    closeDescriptor(fd);
    if (isRepaired) SharedMemory.create(name, { byteLength: 5 }).close();
    else assertThrows(() => SharedMemory.create(name, { byteLength: 5 }), Deno.errors.AlreadyExists);
    assertStrictEquals(listed(name)?.state, isRepaired ? "ready" : undefined);
  }
});

nativeTest("SharedMemory.unlink() leaves what is no region, or of another kind, as it is", () => {
  using names = new RegionNames();
  const name = names.next();
  const path = `/dev/shm/millrace.${name}`;
  Deno.writeTextFileSync(path, "another program's");
  assertThrowsMatching(() => SharedMemory.unlink(name), {
    name: "InvalidData",
    message:
      `unlink shared memory ${name}: it has 17 bytes, and is no region of Millrace's; it is left as it is`,
  });
  assertStrictEquals(Deno.readTextFileSync(path), "another program's");
  Deno.removeSync(path);
  const initialize = (bytes: Uint8Array) => bytes.set([1, 2, 3]);
  SharedMemory.create(name, { byteLength: 3, initialize }).close();
  for (const beginsWith of [new Uint8Array([1, 2, 4]), new Uint8Array(10_000)]) {
    assertThrowsMatching(() => SharedMemory.unlink(name, { beginsWith, subject: "my queue" }), {
      name: "InvalidData",
      message: "unlink my queue: it is a region of another kind; it is left as it is",
    });
  }
  SharedMemory.unlink(name, { beginsWith: new Uint8Array([1, 2, 3]) });
  assertThrows(() => SharedMemory.connect(name), Deno.errors.NotFound);
});

nativeTest("SharedMemory.list() and removeAbandoned() look at one kind, where it is named", () => {
  using names = new RegionNames();
  const name = names.next();
  SharedMemory.create(name, { byteLength: 3, initialize: (bytes) => bytes.set([1, 2, 3]) }).close();
  const [other, same] = [[1, 2, 4], [1, 2]].map((kind) => ({
    prefix: name,
    beginsWith: new Uint8Array(kind),
  }));
  assertEquals([SharedMemory.list(other), SharedMemory.removeAbandoned(other)], [[], []]);
  assertStrictEquals(SharedMemory.list(same).length, 1);
  assertEquals(SharedMemory.removeAbandoned(same), [name]);
});

nativeTest("SharedMemory.create() refuses lengths, modes and names that are none, and makes nothing", () => {
  for (const byteLength of [0, -1, 1.5, NaN, Infinity, SHARED_MEMORY_BYTES_MAX + 1]) {
    assertThrowsMatching(() => SharedMemory.create("test-never", { byteLength }), {
      name: "RangeError",
      message: /byteLength is .*, expected 1 to 4294967296/,
    });
  }
  for (const mode of [0, 0o400, 0o066, 0o1600, -1, 0.5, NaN]) {
    assertThrowsMatching(() => SharedMemory.create("test-never", { byteLength: 1, mode }), {
      name: "RangeError",
      message: /mode is .*, expected 0o600 to 0o777/,
    });
  }
  assertStrictEquals(listed("test-never"), undefined);
});

nativeTest("SharedMemory refuses names that could be something else", () => {
  const long = "x".repeat(SHARED_MEMORY_NAME_LENGTH_MAX + 1);
  for (const name of ["", "/", "a/b", "../x", "a b", "ä", "a\0", "a\n", long]) {
    const refused = { name: "RangeError", message: /^name of shared memory: .*expected 1 to 200 letters/ };
    assertThrowsMatching(() => SharedMemory.create(name, { byteLength: 1 }), refused, name);
    assertThrowsMatching(() => SharedMemory.connect(name), refused, name);
    assertThrowsMatching(() => SharedMemory.unlink(name), refused, name);
  }
});

nativeTest("SharedMemory takes every name that its rules allow", () => {
  const id = testName();
  for (
    const name of [`.${id}`, `..${id}`, `-${id}`, `_A9.${id}`, id.padEnd(SHARED_MEMORY_NAME_LENGTH_MAX, "z")]
  ) {
    using _region = SharedMemory.create(name, { byteLength: 1 });
    try {
      assertStrictEquals(listed(name)?.state, "ready");
    } finally {
      SharedMemory.unlink(name);
    }
  }
});

nativeTest("SharedMemory.create() gives exactly the permissions that were asked for", () => {
  using names = new RegionNames();
  const before = Deno.umask(0o077);
  try {
    for (const mode of [undefined, 0o600, 0o660, 0o666, 0o755]) {
      const name = names.next();
      using _region = SharedMemory.create(name, { byteLength: 1, mode });
      const expected = mode ?? 0o600;
      assertStrictEquals(listed(name)?.mode, expected);
      assertStrictEquals((Deno.statSync(`/dev/shm/millrace.${name}`).mode ?? 0) & 0o7777, expected);
    }
  } finally {
    Deno.umask(before);
  }
});

nativeTest("SharedMemory.connect() and unlink() find nothing where there is nothing", () => {
  for (const [action, words] of [["connect", "connect to"], ["unlink", "unlink"]] as const) {
    assertThrowsMatching(() => SharedMemory[action]("test-nothing"), {
      name: "NotFound",
      operation: `${words} shared memory`,
      message: new RegExp(`^${words} shared memory test-nothing: no such file or directory \\(ENOENT\\)`),
    });
  }
  const directory = "/nowhere";
  assertThrowsMatching(
    () => SharedMemory.connect("a", { directory }),
    /^NotFound: connect to shared memory a in \/nowhere: /,
  );
});

nativeTest("SharedMemory.unlink() takes the name, and nothing from those who have it open", () => {
  using names = new RegionNames();
  const name = names.next();
  using first = SharedMemory.create(name, { byteLength: 16 });
  using second = SharedMemory.connect(name);
  SharedMemory.unlink(name);
  assertThrows(() => SharedMemory.connect(name), Deno.errors.NotFound);
  assertStrictEquals(listed(name), undefined);
  first.bytes[3] = 9;
  assertStrictEquals(second.bytes[3], 9);
  assert(first.tryLock(0));
  assert(second.isLocked(0));
  using other = SharedMemory.create(name, { byteLength: 8 });
  assertEquals([other.byteLength, other.bytes[3]], [8, 0]);
  assertStrictEquals(first.bytes[3], 9);
});

nativeTest("SharedMemory.close() leaves views of length 0, whose use throws or reads nothing", () => {
  using names = new RegionNames();
  const name = names.next();
  const region = SharedMemory.create(name, { byteLength: 4096 });
  const { bytes } = region;
  const words = new Int32Array(bytes.buffer);
  const view = new DataView(bytes.buffer);
  region.close();
  region.close();
  region[Symbol.dispose]();
  assertStrictEquals(region.bytes, bytes);
  assertStrictEquals(region.byteLength, 4096);
  assertEquals([bytes.byteLength, words.length, bytes.buffer.byteLength], [0, 0, 0]);
  assertStrictEquals(bytes[0], undefined);
  bytes[0] = 1;
  assertThrows(() => Atomics.load(words, 0));
  assertThrows(() => view.getUint8(0), TypeError);
  assertThrows(() => bytes.set([1]));
  assertThrows(() => region.tryLock(0), Deno.errors.BadResource);
  assertThrows(() => region.isLocked(0), Deno.errors.BadResource);
  region.unlock(0);
  assertEquals([mappingCount(name), descriptorCount(name)], [0, 0]);
});

nativeTest("SharedMemory maps a region once, until the last of its openers has closed", () => {
  using names = new RegionNames();
  const name = names.next();
  const openers = [SharedMemory.create(name, { byteLength: 5000 })];
  for (let count = 0; count < 4; count++) openers.push(SharedMemory.connect(name));
  assertStrictEquals(mappingCount(name), 1);
  assertStrictEquals(descriptorCount(name), 5);
  const last = openers.splice(2, 1)[0];
  for (const opener of openers) opener.close();
  assertEquals([mappingCount(name), descriptorCount(name)], [1, 1]);
  last.bytes[4999] = 1;
  assertStrictEquals(last.bytes[4999], 1);
  last.close();
  assertEquals([mappingCount(name), descriptorCount(name)], [0, 0]);
});

nativeTest("SharedMemory.tryLock() is each opener's own, also within one process", () => {
  using names = new RegionNames();
  const name = names.next();
  using first = SharedMemory.create(name, { byteLength: 1 });
  const second = SharedMemory.connect(name);
  for (const index of [0, 1, 500, SHARED_MEMORY_LOCK_COUNT - 1]) {
    assertEquals([first.isLocked(index), second.isLocked(index)], [false, false]);
    assertStrictEquals(first.tryLock(index), true);
    assertEquals([first.tryLock(index), second.tryLock(index)], [false, false]);
    assertEquals([first.isLocked(index), second.isLocked(index)], [true, true]);
    second.unlock(index);
    assert(second.isLocked(index));
    first.unlock(index);
    first.unlock(index);
    assertEquals([first.isLocked(index), second.isLocked(index)], [false, false]);
    assertStrictEquals(second.tryLock(index), true);
    assert(first.isLocked(index));
  }
  second.close();
  for (const index of [0, 1, 500, SHARED_MEMORY_LOCK_COUNT - 1]) {
    assertStrictEquals(first.isLocked(index), false);
  }
});

nativeTest("SharedMemory.close() gives the locks back, whoever else of the process has it open", () => {
  using names = new RegionNames();
  const name = names.next();
  const first = SharedMemory.create(name, { byteLength: 1 });
  using second = SharedMemory.connect(name);
  assert(first.tryLock(0));
  first.close();
  assertStrictEquals(second.isLocked(0), false);
  assert(second.tryLock(0));
});

nativeTest("SharedMemory.tryLock(), isLocked() and unlock() refuse locks that are none", () => {
  using names = new RegionNames();
  using region = SharedMemory.create(names.next(), { byteLength: 1 });
  for (const index of [-1, SHARED_MEMORY_LOCK_COUNT, 0.5, NaN, Infinity]) {
    const refused = { name: "RangeError", message: /lock of shared memory: .*, expected 0 to 1023/ };
    assertThrowsMatching(() => region.tryLock(index), refused);
    assertThrowsMatching(() => region.isLocked(index), refused);
    assertThrowsMatching(() => region.unlock(index), refused);
  }
});

nativeTest("SharedMemory.list() tells who made a region, and whether it is in use", () => {
  using names = new RegionNames();
  const name = names.next();
  const before = Date.now();
  const region = SharedMemory.create(name, { byteLength: 12_345, mode: 0o640 });
  const info = listed(name);
  assert(info?.createdAt !== undefined && info.createdBy?.startedAt !== undefined);
  const { createdAt, createdBy, ...rest } = info;
  assertEquals(rest, { name, byteLength: 12_345, mode: 0o640, inUse: true, state: "ready" });
  assertStrictEquals(createdBy.pid, Deno.pid);
  assert(Number(createdBy.startedAt) <= before);
  assert(Number(createdAt) >= before);
  region.close();
  assertEquals(listed(name), { ...info, inUse: false });
});

nativeTest("SharedMemory.list() and removeAbandoned() leave alone what is not Millrace's", () => {
  const id = testName();
  const objects = [`/other_${id}`, `/millrace.test-${id}`, `/millrace.test ${id}`];
  const fds = objects.map((object) => createSharedObject(object));
  try {
    for (const fd of fds) {
      resize(fd, 8192);
      writeAt(fd, new TextEncoder().encode("somebody else's"), 0);
    }
    assert(SharedMemory.list().every(({ name }) => !name.includes(id)));
    assertEquals(SharedMemory.removeAbandoned({ prefix: `test-${id}` }), []);
    assertEquals(SharedMemory.removeAbandoned({ prefix: `test ${id}` }), []);
    for (const object of objects) closeDescriptor(openSharedObject(object));
    assertThrowsMatching(() => SharedMemory.connect(`test-${id}`), {
      name: "InvalidData",
      message: `connect to shared memory test-${id}: it is no region of Millrace's`,
    });
  } finally {
    for (const fd of fds) closeDescriptor(fd);
    for (const object of objects) unlinkSharedObject(object);
  }
});

nativeTest("SharedMemory.connect() refuses a pipe or a directory of a region's name", () => {
  const name = testName();
  const path = `/dev/shm/millrace.${name}`;
  Deno.mkdirSync(path);
  try {
    assertThrows(() => SharedMemory.connect(name), Deno.errors.IsADirectory);
    assertStrictEquals(listed(name), undefined);
    assert(!SharedMemory.removeAbandoned({ prefix: name }).includes(name));
  } finally {
    Deno.removeSync(path);
  }
  new Deno.Command("mkfifo", { args: [path] }).outputSync();
  try {
    assertThrowsMatching(() => SharedMemory.connect(name), { name: "InvalidData", message: /no memory/ });
    assertStrictEquals(listed(name), undefined);
    assert(!SharedMemory.removeAbandoned({ prefix: name }).includes(name));
  } finally {
    Deno.removeSync(path);
  }
});

type Damage = [at: number, bytes: Uint8Array<ArrayBuffer>, state: string, removed: boolean, message: RegExp];
const int32 = (value: number) => new Uint8Array(new Int32Array([value]).buffer);

nativeTest("SharedMemory.connect() says what is wrong with a region, and list() that something is", () => {
  const cases: Damage[] = [
    [AT.version, int32(9), "other version", false, /it has version 9, expected 2/],
    [AT.layoutHash, int32(9), "other version", false, /its layout is another build's/],
    [AT.state, int32(9), "damaged", true, /it is damaged: its state is 9/],
    [AT.state, int32(1), "half-made", true, /it is half-made: its creator has died/],
    [AT.byteLength, int32(1), "damaged", true, /it is damaged: its length is/],
    [8192, int32(1), "damaged", true, /it is damaged: it has 8196 bytes, expected 8192/],
  ];
  for (const [at, bytes, state, removed, message] of cases) {
    using names = new RegionNames();
    const name = names.next();
    SharedMemory.create(name, { byteLength: 100 }).close();
    const fd = openSharedObject(`/millrace.${name}`);
    writeAt(fd, bytes, at);
    closeDescriptor(fd);
    const refused = state === "half-made" ? "NotFound" : "InvalidData";
    assertThrowsMatching(() => SharedMemory.connect(name), { name: refused, message });
    assertEquals([listed(name)?.state, listed(name)?.inUse], [state, false]);
    assertStrictEquals(descriptorCount(name), 0);
    assertStrictEquals(SharedMemory.removeAbandoned({ prefix: name }).includes(name), removed);
    assertStrictEquals(listSharedObjects(`millrace.${name}`).length, removed ? 0 : 1);
  }
});

nativeTest("SharedMemory.removeAbandoned() takes what nobody has open, and nothing else", () => {
  using names = new RegionNames();
  const prefix = names.next();
  const [closed, open, reopened, other] = ["a", "b", "c"].map((end) => names.add(prefix + end)).concat(
    names.next(),
  );
  for (const name of [closed, reopened, other]) SharedMemory.create(name, { byteLength: 1 }).close();
  using kept = SharedMemory.create(open, { byteLength: 1 });
  using _again = SharedMemory.connect(reopened);
  assertEquals(SharedMemory.list({ prefix }).map(({ name }) => name), [closed, open, reopened]);
  assertEquals(SharedMemory.removeAbandoned({ prefix }), [closed]);
  assertThrows(() => SharedMemory.connect(closed), Deno.errors.NotFound);
  assertEquals([listed(open)?.inUse, listed(other)?.inUse], [true, false]);
  kept.close();
  assertEquals(SharedMemory.removeAbandoned({ prefix }), [open]);
});

nativeTest("SharedMemory.close() keeps memory that somebody has taken by transferring the buffer", () => {
  using names = new RegionNames();
  const region = SharedMemory.create(names.next(), { byteLength: 4096 });
  const taken = new Uint8Array(region.bytes.buffer.transfer());
  region.close();
  taken[0] = 1;
  assertStrictEquals(taken[0], 1);
});

nativeTest("SharedMemory.connect() and list() tell a region that somebody is making or removing", () => {
  using names = new RegionNames();
  const name = names.next();
  SharedMemory.create(name, { byteLength: 1 }).close();
  const fd = openSharedObject(`/millrace.${name}`);
  try {
    assert(tryLockByte(fd, LOCK_AT.open, "exclusive"));
    const busy = {
      name: "Busy",
      message: `connect to shared memory ${name}: another process has been making or removing it for 100 ms`,
    };
    assertThrowsMatching(() => SharedMemory.connect(name), busy);
    assertEquals([listed(name)?.state, listed(name)?.inUse], ["ready", true]);
    writeAt(fd, int32(STATE.making), AT.state);
    assertThrowsMatching(() => SharedMemory.connect(name), busy);
    assertEquals([listed(name)?.state, listed(name)?.inUse], ["being made", true]);
    assertEquals(SharedMemory.removeAbandoned({ prefix: name }), []);
    assert(tryLockByte(fd, LOCK_AT.remove, "exclusive"));
    assertThrowsMatching(() => SharedMemory.unlink(name), { name: "Busy", message: /^unlink shared memory/ });
  } finally {
    closeDescriptor(fd);
  }
});
