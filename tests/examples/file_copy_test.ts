import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { patternBytes } from "../support/driver_seed.ts";
import { type Outcome, startExample } from "../support/net_child.ts";
import { assertSameBytes, driverSuffix, REAL_DRIVERS } from "../support/net_harness.ts";

const LARGE_BYTES = (9 << 20) + 4321;

/** Runs the example and gives what came of it. */
async function copy(...args: string[]): Promise<Outcome> {
  await using child = await startExample("file_copy", args);
  return await child.ended();
}

function exampleTest(
  name: string,
  body: (driver: string, directory: string) => Promise<void>,
  skipReason?: string,
): void {
  for (const driver of REAL_DRIVERS) {
    const reason = driver.skipReason ?? skipReason;
    Deno.test({
      name: `examples/file_copy.ts ${name} ${driverSuffix({ name: driver.name, skipReason: reason })}`,
      ignore: reason !== undefined,
      async fn() {
        const directory = await Deno.makeTempDir({ prefix: "millrace_copy_" });
        try {
          await body(driver.name, directory);
        } finally {
          await Deno.remove(directory, { recursive: true });
        }
      },
    });
  }
}

/** Asserts a failure with one line that names what it is about, and no file where the copy would have been. */
async function assertFails(outcome: Outcome, named: RegExp, target?: string): Promise<void> {
  assertEquals([outcome.code, outcome.stdout], [1, ""], outcome.stderr);
  assertMatch(outcome.stderr, /^file_copy: .*\n$/);
  assertMatch(outcome.stderr, named);
  if (target !== undefined) {
    await assertRejects(() => Deno.lstat(target), Deno.errors.NotFound, undefined, "it left a file");
  }
}

for (const byteLength of [0, 1, 256 * 1024, 256 * 1024 + 1, 1024 * 1024, LARGE_BYTES]) {
  exampleTest(`copies ${byteLength} bytes, unchanged`, async (driver, directory) => {
    const [from, to] = [join(directory, "from"), join(directory, "to")];
    const bytes = patternBytes(byteLength, byteLength);
    await Deno.writeFile(from, bytes);
    const { code, stdout, stderr } = await copy(from, to, "--driver", driver);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertStrictEquals(stdout, `copied ${byteLength} bytes (driver: ${driver})\n`);
    assertSameBytes(await Deno.readFile(to), bytes);
    assertSameBytes(await Deno.readFile(from), bytes);
  });
}

exampleTest(
  "takes names with spaces and letters beyond ASCII, after -- also with a dash",
  async (driver, directory) => {
    const from = join(directory, "a name é 漢");
    await Deno.writeTextFile(from, "text");
    const to = join(directory, "--to");
    assertStrictEquals((await copy("--driver", driver, "--", from, to)).code, 0);
    assertStrictEquals(await Deno.readTextFile(to), "text");
  },
);

exampleTest("fails for a source that does not exist", async (driver, directory) => {
  const [from, to] = [join(directory, "missing"), join(directory, "to")];
  await assertFails(await copy(from, to, "--driver", driver), /missing.*no such file/, to);
});

exampleTest("fails for a target that exists, and leaves it alone", async (driver, directory) => {
  const [from, to] = [join(directory, "from"), join(directory, "to")];
  await Deno.writeTextFile(from, "new");
  await Deno.writeTextFile(to, "old");
  await assertFails(await copy(from, to, "--driver", driver), /to.*exists already/);
  await assertFails(await copy(from, from, "--driver", driver), /from.*exists already/);
  assertStrictEquals(await Deno.readTextFile(to), "old");
  assertStrictEquals(await Deno.readTextFile(from), "new");
});

exampleTest(
  "fails for a directory as source, as target and as a part of the path",
  async (driver, directory) => {
    const [from, to] = [join(directory, "from"), join(directory, "to")];
    await Deno.writeTextFile(from, "text");
    await assertFails(await copy(directory, to, "--driver", driver), /is a directory/, to);
    await assertFails(await copy(from, directory, "--driver", driver), /exists already|is a directory/);
    await assertFails(await copy(from, join(from, "to"), "--driver", driver), /not a directory/);
    await assertFails(await copy(from, join(directory, "missing", "to"), "--driver", driver), /no such file/);
  },
);

exampleTest("fails where there is no permission", async (driver, directory) => {
  // Nobody may write there, not even root.
  const from = join(directory, "from");
  await Deno.writeTextFile(from, "text");
  await assertFails(await copy(from, "/proc/millrace_copy", "--driver", driver), /\/proc\/millrace_copy/);
});

exampleTest("fails when the disk is full, and leaves nothing behind", async (driver, directory) => {
  const small = join(directory, "small");
  await Deno.mkdir(small);
  await mountSmallDisk(small);
  try {
    const from = join(directory, "from");
    await Deno.writeFile(from, patternBytes(1, 4 << 20));
    const to = join(small, "to");
    await assertFails(await copy(from, to, "--driver", driver), /no space left/, to);
  } finally {
    await unmount(small);
  }
}, await mountSkipReason());

exampleTest("removes the copy when it is told to stop", async (driver, directory) => {
  const to = join(directory, "to");
  // A source that never ends.
  await using child = await startExample("file_copy", ["/dev/zero", to, "--driver", driver]);
  while (!await Deno.stat(to).then(({ size }) => size > 0, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  child.kill("SIGINT");
  const { code, stdout, stderr } = await child.ended();
  assertEquals([code, stdout, stderr], [130, "", "file_copy: stopped by SIGINT, the copy is removed\n"]);
  await assertRejects(() => Deno.stat(to), Deno.errors.NotFound);
});

/** Puts a disk of one megabyte at `path`, which takes rights that not everybody has. */
async function mountSmallDisk(path: string): Promise<void> {
  const args = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path];
  const { success, stderr } = await new Deno.Command("mount", { args }).output();
  if (!success) throw new Error(`mount: ${new TextDecoder().decode(stderr).trim()}`);
}

async function unmount(path: string): Promise<void> {
  await new Deno.Command("umount", { args: [path] }).output();
}

async function mountSkipReason(): Promise<string | undefined> {
  const path = await Deno.makeTempDir({ prefix: "millrace_mount_" });
  try {
    await mountSmallDisk(path);
    await unmount(path);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await Deno.remove(path);
  }
}

const WRONG: [args: string[], named: RegExp][] = [
  [[], /0 paths given, expected two/],
  [["one"], /1 paths given, expected two/],
  [["one", "two", "three"], /3 paths given, expected two/],
  [["one", "two", "--driver", "aio"], /"aio".*expected auto, uring or deno/],
  [["one", "two", "--fast"], /--fast/],
];

for (const [args, named] of WRONG) {
  Deno.test(`examples/file_copy.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    const { code, stdout, stderr } = await copy(...args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^file_copy: .*; usage: file_copy FROM TO .*\n$/);
    assertMatch(stderr, named);
  });
}
