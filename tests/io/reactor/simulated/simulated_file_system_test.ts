import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../../support/assertions.ts";
import {
  type DriverFile,
  Reactor,
  SimulatedDriver,
  SimulatedFileSystem,
} from "../../../../src/io/reactor/mod.ts";
import { patternBytes, testSeeds, withSeed } from "../../../support/driver_seed.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 30_000;
const SECTOR_BYTES = 512;
/** Crashes whose outcomes are collected: each kind comes with a probability of 1/8 at least. */
const CRASHES = 300;

/** Runs `body` with a file open on a new machine, and gives its files. */
async function withFile(
  seed: number,
  body: (file: DriverFile, driver: SimulatedDriver) => Promise<void>,
): Promise<SimulatedFileSystem> {
  const fileSystem = new SimulatedFileSystem({ seed });
  const driver = new SimulatedDriver({ seed, fileSystem });
  using _reactor = new Reactor(driver);
  await withWatchdog(WATCHDOG_MS, async () => {
    await body(await driver.openFile("/file", { read: true, write: true, create: true }), driver);
  });
  return fileSystem;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** What a crash left of the file: its text, zeros shown as dots, or that it is gone. */
function remains(fileSystem: SimulatedFileSystem): string {
  if (!fileSystem.list("/").includes("file")) return "gone";
  return new TextDecoder().decode(fileSystem.readFile("/file")).replaceAll("\0", ".");
}

/** Everything that many crashes after `body` have left. */
async function outcomes(
  body: (file: DriverFile, driver: SimulatedDriver) => Promise<void>,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 0; seed < CRASHES; seed++) {
    const fileSystem = await withFile(seed, body);
    fileSystem.crash();
    found.add(remains(fileSystem));
  }
  return found;
}

Deno.test("SimulatedFileSystem.crash() keeps what was synced, always", async () => {
  const found = await outcomes(async (file) => {
    await file.writeAt(text("kept"), 0);
    await file.sync();
  });
  assertEquals(found, new Set(["kept"]));
});

Deno.test("SimulatedFileSystem.crash() keeps what was synced by syncData(), always", async () => {
  const found = await outcomes(async (file) => {
    await file.writeAt(text("kept"), 0);
    await file.syncData();
  });
  assertEquals(found, new Set(["kept"]));
});

Deno.test("SimulatedFileSystem.crash() keeps, loses or empties what was not synced, the file included", async () => {
  const found = await outcomes(async (file) => {
    await file.writeAt(text("data"), 0);
  });
  // Gone with its name; empty; the size without the data; all of it. Four bytes are one sector, so none is torn.
  assertEquals(found, new Set(["gone", "", "....", "data"]));
});

Deno.test("SimulatedFileSystem.crash() keeps unsynced writes in any combination, so also out of order", async () => {
  const found = await outcomes(async (file) => {
    await file.writeAt(text("__"), 0);
    await file.sync();
    await file.writeAt(text("1"), 0);
    await file.writeAt(text("2"), 1);
  });
  assertEquals(found, new Set(["__", "1_", "_2", "12"]));
});

Deno.test("SimulatedFileSystem.crash() never brings an older write back over a newer one", async () => {
  const found = await outcomes(async (file) => {
    await file.writeAt(text("a"), 0);
    await file.sync();
    await file.writeAt(text("b"), 0);
    await file.writeAt(text("c"), 0);
    await file.sync();
    await file.writeAt(text("d"), 0);
  });
  assertEquals(found, new Set(["c", "d"]));
});

Deno.test("SimulatedFileSystem.crash() tears a long write between sectors, in any pattern", async () => {
  const patterns = new Set<string>();
  for (let seed = 0; seed < CRASHES; seed++) {
    const fileSystem = await withFile(seed, async (file) => {
      await file.writeAt(new Uint8Array(4 * SECTOR_BYTES).fill(1), 0);
      await file.sync();
      // Begins within a sector: the first piece is shorter.
      await file.writeAt(new Uint8Array(2 * SECTOR_BYTES).fill(2), 100);
    });
    fileSystem.crash();
    const bytes = fileSystem.readFile("/file");
    const pieces = [[100, 512], [512, 1024], [1024, 1124]].map(([start, end]) => {
      const values = new Set(bytes.subarray(start, end));
      assertStrictEquals(values.size, 1, "a sector is written whole or not at all");
      return [...values][0];
    });
    patterns.add(pieces.join(""));
    assert(bytes.subarray(0, 100).every((byte) => byte === 1));
    assert(bytes.subarray(1124).every((byte) => byte === 1));
  }
  assertEquals(patterns, new Set(["111", "112", "121", "122", "211", "212", "221", "222"]));
});

Deno.test("SimulatedFileSystem: truncation is durable only once synced", async () => {
  const found = await outcomes(async (file, driver) => {
    await file.writeAt(text("old"), 0);
    await file.sync();
    await (await driver.openFile("/file", { write: true, truncate: true })).close();
  });
  assertEquals(found, new Set(["old", ""]));
});

Deno.test("SimulatedFileSystem: what a failed sync did not keep, no later sync does", async () => {
  const found = await outcomes(async (file, driver) => {
    await file.writeAt(text("_"), 0);
    await file.sync();
    await file.writeAt(text("x"), 0);
    driver.faults.inject("fsync", "EIO");
    await assertRejectsMatching(() => file.sync(), { code: "EIO" });
    // Succeeds, and knows nothing of the write before.
    await file.sync();
  });
  assertEquals(found, new Set(["_", "x"]));
});

Deno.test("SimulatedFileSystem: after a failed sync reads may go on to show what the disk has not", async () => {
  const found = new Set<string>();
  for (let seed = 0; seed < CRASHES; seed++) {
    const fileSystem = await withFile(seed, async (file, driver) => {
      await file.writeAt(text("_"), 0);
      await file.sync();
      await file.writeAt(text("x"), 0);
      driver.faults.inject("fsync", "EIO");
      await assertRejects(() => file.sync());
    });
    const [seen, durable] = [fileSystem.readFile("/file"), fileSystem.readDurable("/file")];
    found.add(new TextDecoder().decode(new Uint8Array([...seen, ...durable])));
  }
  assertEquals(found, new Set(["x_", "__", "xx"]));
});

Deno.test("SimulatedFileSystem: a file opened before a crash is of no use after it", async () => {
  const fileSystem = new SimulatedFileSystem();
  const driver = new SimulatedDriver({ fileSystem });
  using _reactor = new Reactor(driver);
  fileSystem.writeFile("/file", text("data"));
  const file = await driver.openFile("/file", { read: true });
  fileSystem.crash();
  await assertRejectsMatching(() => file.readAt(new Uint8Array(4), 0), { code: "EBADF" });
  const again = await driver.openFile("/file", { read: true });
  assertStrictEquals(await again.readAt(new Uint8Array(4), 0), 4);
  assertStrictEquals(fileSystem.crashCount, 1);
});

Deno.test("SimulatedFileSystem gives programs what they wrote, whatever the disk has", async () => {
  for (const seed of testSeeds(10)) {
    await withSeed(seed, async () => {
      const bytes = patternBytes(seed, 20_000);
      const fileSystem = await withFile(seed, async (file) => {
        await file.writeAt(bytes, 3);
      });
      assertEquals(fileSystem.readFile("/file").subarray(3), bytes);
      assertEquals(fileSystem.readDurable("/file"), new Uint8Array());
    });
  }
});

Deno.test("SimulatedFileSystem has directories, and refuses what does not fit", () => {
  const fileSystem = new SimulatedFileSystem();
  fileSystem.makeDirectory("/a");
  fileSystem.makeDirectory("/a/b");
  fileSystem.writeFile("//a/b/c", text("1"));
  fileSystem.writeFile("/a/d", text("2"));
  assertEquals([fileSystem.list("/"), fileSystem.list("/a"), fileSystem.list("/a/b/")], [["a"], [
    "b",
    "d",
  ], ["c"]]);
  assertEquals(fileSystem.readFile("/a/b/c"), text("1"));
  assertThrows(() => fileSystem.makeDirectory("/a"), Deno.errors.AlreadyExists);
  assertThrows(() => fileSystem.makeDirectory("/x/y"), Deno.errors.NotFound);
  assertThrows(() => fileSystem.writeFile("/x/y", text("")), Deno.errors.NotFound);
  assertThrows(() => fileSystem.writeFile("/a", text("")), Deno.errors.IsADirectory);
  assertThrows(() => fileSystem.readFile("/a"), Deno.errors.IsADirectory);
  assertThrows(() => fileSystem.readFile("/none"), Deno.errors.NotFound);
  assertThrows(() => fileSystem.list("/none"), Deno.errors.NotFound);
  assertThrows(() => fileSystem.readFile("relative"), TypeError);
  fileSystem.removeFile("/a/d");
  assertEquals(fileSystem.list("/a"), ["b"]);
  assertThrows(() => fileSystem.removeFile("/a/d"), Deno.errors.NotFound);
});

Deno.test("SimulatedFileSystem.writeFile() is durable at once", () => {
  for (let seed = 0; seed < 20; seed++) {
    const fileSystem = new SimulatedFileSystem({ seed });
    fileSystem.writeFile("/file", text("kept"));
    fileSystem.crash();
    assertStrictEquals(remains(fileSystem), "kept");
  }
});

Deno.test("SimulatedFileSystem.crash() leaves the same for the same seed", async () => {
  const run = async () => {
    const fileSystem = await withFile(99, async (file) => {
      for (let index = 0; index < 20; index++) await file.writeAt(patternBytes(index, 1500), index * 700);
    });
    fileSystem.crash();
    return fileSystem.list("/").length === 0 ? undefined : fileSystem.readFile("/file");
  };
  assertEquals(await run(), await run());
});
