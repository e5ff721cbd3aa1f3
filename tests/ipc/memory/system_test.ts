import { assertEquals, assertMatch } from "@std/assert";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import {
  commandFailure,
  NO_CAPABILITIES,
  NOBODY,
  otherUserFailure,
  reportOf,
  smallDisk,
} from "../../support/system.ts";
import { MEMORY_URL, RegionNames, TemporaryDirectory } from "./support.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";

// What only a system of its own shows: a small /dev/shm, and a user who may not do everything.

/** Runs a program that knows regions behind `command`, and gives what it printed as JSON. */
function memoryReport(command: string, args: readonly string[], program: string): Promise<unknown> {
  return reportOf(command, args, `import { SharedMemory } from ${MEMORY_URL};\n${program}`);
}

/** A command line that gives what follows a `/dev/shm` of `size` of its own. */
const ownSharedMemory = (size: string) => smallDisk("/dev/shm", size);
const mountFailure = nativeSkipReason() ?? commandFailure("unshare", [...ownSharedMemory("64k"), "true"]);
nameSkipReason("SharedMemory on a small /dev/shm", mountFailure);

function smallTest(name: string, body: () => Promise<void>): void {
  if (mountFailure === undefined) nativeTest(name, body);
}

smallTest("SharedMemory.create() throws where /dev/shm is full, and leaves nothing behind", async () => {
  const report = await memoryReport(
    "unshare",
    ownSharedMemory("64k"),
    `
    const names = () => [...Deno.readDirSync("/dev/shm")].map(({ name }) => name);
    const tooLarge = failureOf(() => SharedMemory.create("a", { byteLength: 65_536 }));
    const left = names();
    const region = SharedMemory.create("b", { byteLength: 61_440 });
    const noPage = failureOf(() => SharedMemory.create("c", { byteLength: 1 }));
    // All of it is there already: writing it takes nothing more.
    region.bytes.fill(1);
    region.close();
    console.log(JSON.stringify([tooLarge.slice(1), left, noPage.slice(1), names(), SharedMemory.removeAbandoned(), names()]));
    `,
  );
  const hint =
    "/dev/shm, or the disk of its directory, is too small or full: ask for less, remove what is there, " +
    "or make it larger (/dev/shm in a container by --shm-size)";
  assertEquals(report, [
    ["ENOSPC", `reserve shared memory of 69632 bytes: no space left on the device (ENOSPC); ${hint}`],
    [],
    ["ENOSPC", `write shared memory: no space left on the device (ENOSPC); ${hint}`],
    ["millrace.b"],
    ["b"],
    [],
  ]);
});

nativeTest(
  "SharedMemory.create() throws beyond the limit of file sizes, and leaves nothing behind",
  async () => {
    using names = new RegionNames();
    const name = names.next();
    // In blocks of 512 bytes, or 1024; what Deno writes by itself is shorter.
    const limited = ["-c", 'ulimit -f 131072 && exec "$0" "$@"'];
    const report = await memoryReport(
      "sh",
      limited,
      `
    const name = ${JSON.stringify(name)};
    const tooLarge = failureOf(() => SharedMemory.create(name, { byteLength: 268_435_456 }));
    console.log(JSON.stringify([tooLarge.slice(1), SharedMemory.list({ prefix: name })]));
    `,
    );
    assertEquals(report, [
      [
        "EFBIG",
        "reserve shared memory of 268439552 bytes: the file would become too large (EFBIG); " +
        "ask for less, or raise the limit of file sizes (`ulimit -f`)",
      ],
      [],
    ]);
  },
);

smallTest(
  "SharedMemory.create() throws where the disk of a directory is full, and leaves nothing behind",
  async () => {
    using temporary = new TemporaryDirectory();
    const { directory } = temporary;
    const report = await memoryReport(
      "unshare",
      smallDisk(directory, "64k"),
      `
    const directory = ${JSON.stringify(directory)};
    const names = () => [...Deno.readDirSync(directory)].map(({ name }) => name);
    const tooLarge = failureOf(() => SharedMemory.create("a", { byteLength: 65_536, directory }));
    const left = names();
    const region = SharedMemory.create("b", { byteLength: 61_440, directory });
    const noPage = failureOf(() => SharedMemory.create("c", { byteLength: 1, directory }));
    region.bytes.fill(1);
    console.log(JSON.stringify([tooLarge[1], left, noPage[1], names()]));
    `,
    );
    assertEquals(report, ["ENOSPC", [], "ENOSPC", ["millrace.b"]]);
  },
);

/** A command line that gives what follows a disk at `fs` in `directory`, of which only the first 2 MiB can be written to. */
const brokenDisk = (directory: string) =>
  [
    "-m",
    "sh",
    "-c",
    `cd ${directory} && mount -t tmpfs -o size=2m none . && cd ${directory} && truncate -s 32M disk &&
     mkfs.ext4 -q -O ^has_journal disk && mkdir fs && mount -o loop disk fs && exec "$0" "$@"`,
  ] as const;
let diskFailure = mountFailure;
if (diskFailure === undefined) {
  using temporary = new TemporaryDirectory();
  diskFailure = commandFailure("unshare", [...brokenDisk(temporary.directory), "true"]);
}
nameSkipReason("SharedMemory.sync() to a broken disk", diskFailure);

if (diskFailure === undefined) {
  nativeTest(
    "SharedMemory.sync() rejects for each opener when the disk does not take what was written",
    async () => {
      using temporary = new TemporaryDirectory();
      const report = await memoryReport(
        "unshare",
        brokenDisk(temporary.directory),
        `
      const directory = ${JSON.stringify(`${temporary.directory}/fs`)};
      const codeOf = (promise) => promise.then(() => "none", ({ code, operation }) => code + " " + operation);
      const byteLength = 16_000_000;
      const region = SharedMemory.create("a", { byteLength, directory });
      const same = SharedMemory.connect("a", { directory });
      const before = await codeOf(region.sync());
      region.bytes.fill(1);
      console.log(JSON.stringify([before, await codeOf(region.sync()), await codeOf(same.sync())]));
      `,
      );
      // The second number is the kernel's choice, for a disk that pretends to be larger than it is.
      assertMatch(JSON.stringify(report), /^\["none"(,"(EIO|ENOSPC) sync shared memory"){2}\]$/);
    },
  );
}

smallTest(
  "SharedMemory.list() and removeAbandoned() are sorted, and complete however many there are",
  async () => {
    const report = await memoryReport(
      "unshare",
      ownSharedMemory("16m"),
      `
    for (let count = 0; count < 300; count++) {
      SharedMemory.create("region-" + String(count).padStart(150, "0"), { byteLength: 1 }).close();
    }
    const names = SharedMemory.list().map(({ name }) => name);
    const removed = SharedMemory.removeAbandoned();
    console.log(JSON.stringify([names.length, names.join() === names.toSorted().join(), removed.join() === names.join(),
      SharedMemory.list()]));
    `,
    );
    assertEquals(report, [300, true, true, []]);
  },
);

const userFailure = nativeSkipReason() ?? otherUserFailure();
nameSkipReason("SharedMemory of another user", userFailure);

if (userFailure === undefined) {
  nativeTest("SharedMemory in a directory of another user says that there is no permission", async () => {
    using temporary = new TemporaryDirectory();
    const { directory } = temporary;
    await Deno.chmod(directory, 0o755);
    await Deno.chown(directory, NOBODY, NOBODY);
    const report = await memoryReport(
      "setpriv",
      NO_CAPABILITIES,
      `
      const directory = ${JSON.stringify(directory)};
      try {
        SharedMemory.create("a", { byteLength: 1, directory });
      } catch (error) {
        console.log(JSON.stringify([error.name, error.code, SharedMemory.list({ directory })]));
      }
      `,
    );
    assertEquals(report, ["PermissionDenied", "EACCES", []]);
  });

  nativeTest("SharedMemory of another user is out of reach, and is neither listed nor removed", async () => {
    using names = new RegionNames();
    const name = names.next();
    SharedMemory.create(name, { byteLength: 1 }).close();
    await Deno.chown(`/dev/shm/millrace.${name}`, NOBODY, NOBODY);
    const report = await memoryReport(
      "setpriv",
      NO_CAPABILITIES,
      `
      const name = "${name}";
      console.log(JSON.stringify([
        failureOf(() => SharedMemory.connect(name)).slice(0, 2),
        failureOf(() => SharedMemory.create(name, { byteLength: 1 })).slice(0, 2),
        SharedMemory.list().some((info) => info.name === name),
        SharedMemory.removeAbandoned({ prefix: name }).includes(name),
        failureOf(() => SharedMemory.unlink(name)),
      ]));
      `,
    );
    assertEquals(report, [
      ["PermissionDenied", "EACCES"],
      ["AlreadyExists", "EEXIST"],
      false,
      false,
      // The directory is still this user's, who may take any name out of it.
      "none",
    ]);
  });

  nativeTest("SharedMemory.removeAbandoned() goes on behind a region that it may not remove", async () => {
    using temporary = new TemporaryDirectory();
    const { directory } = temporary;
    SharedMemory.create("a", { byteLength: 1, mode: 0o666, directory }).close();
    // As in /dev/shm, all may make files, and each may remove only what is his own.
    for (const path of [`${directory}/millrace.a`, directory]) await Deno.chown(path, NOBODY, NOBODY);
    await Deno.chmod(directory, 0o1777);
    const report = await memoryReport(
      "setpriv",
      NO_CAPABILITIES,
      `
      const directory = ${JSON.stringify(directory)};
      SharedMemory.create("b", { byteLength: 1, directory }).close();
      console.log(JSON.stringify(SharedMemory.removeAbandoned({ directory })));
      `,
    );
    assertEquals(report, ["b"]);
  });
}
