import { assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import {
  hashSources,
  nativePaths,
  readNativeState,
  writeStamp,
} from "../../../scripts/support/native_stamp.ts";
import { makeProject, type TemporaryProject } from "./temporary_project.ts";

const LIBRARY = "native/target/release/libmillrace.so";

async function makeCrate(): Promise<TemporaryProject> {
  return await makeProject({
    "native/Cargo.toml": "[package]",
    "native/Cargo.lock": "version = 4",
    "native/src/lib.rs": "//! One",
    "native/src/bin/bindings.rs": "//! Two",
  });
}

/** A crate whose library was built and stamped. */
async function makeBuiltCrate(): Promise<TemporaryProject> {
  const project = await makeCrate();
  await project.write(LIBRARY, "library");
  const paths = nativePaths(project.root);
  await writeStamp(paths, await hashSources(paths.directory));
  return project;
}

Deno.test("readNativeState() is missing before the first build", async () => {
  await using project = await makeCrate();
  assertStrictEquals(await readNativeState(nativePaths(project.root)), "missing");
});

Deno.test("readNativeState() is stale for a library that nobody stamped", async () => {
  await using project = await makeCrate();
  await project.write(LIBRARY, "library");
  assertStrictEquals(await readNativeState(nativePaths(project.root)), "stale");
});

Deno.test("readNativeState() is fresh after the stamp, whatever the files' times", async () => {
  await using project = await makeBuiltCrate();
  await Deno.utime(join(project.root, "native/src/lib.rs"), new Date(), new Date(Date.now() + 60_000));
  assertStrictEquals(await readNativeState(nativePaths(project.root)), "fresh");
});

for (
  const [behaviour, path, text] of [
    ["a source changed", "native/src/lib.rs", "//! Changed"],
    ["a source in a folder changed", "native/src/bin/bindings.rs", "//! Changed"],
    ["a source was added", "native/src/added.rs", ""],
    ["a build script was added", "native/build.rs", "fn main() {}"],
    ["the manifest changed", "native/Cargo.toml", "[package] # changed"],
    ["the locked versions changed", "native/Cargo.lock", "version = 3"],
    ["the toolchain was pinned", "native/rust-toolchain.toml", "[toolchain]"],
    ["cargo was configured", "native/.cargo/config.toml", "[build]"],
    ["the library was replaced", LIBRARY, "another"],
    ["the stamp was garbled", "native/target/release/libmillrace.stamp.json", "{"],
  ]
) {
  Deno.test(`readNativeState() is stale after ${behaviour}`, async () => {
    await using project = await makeBuiltCrate();
    await project.write(path, text);
    assertStrictEquals(await readNativeState(nativePaths(project.root)), "stale");
  });
}

Deno.test("readNativeState() is stale after a source was removed or renamed", async () => {
  await using project = await makeBuiltCrate();
  const source = join(project.root, "native/src");
  await Deno.rename(join(source, "lib.rs"), join(source, "renamed.rs"));
  assertStrictEquals(await readNativeState(nativePaths(project.root)), "stale");
});

Deno.test("readNativeState() stays fresh when what is not a source changes", async () => {
  await using project = await makeBuiltCrate();
  await project.write("native/README.md", "# Notes");
  await project.write("native/target/debug/junk.rs", "");
  assertStrictEquals(await readNativeState(nativePaths(project.root)), "fresh");
});

Deno.test("writeStamp() leaves nothing beside the stamp", async () => {
  await using project = await makeBuiltCrate();
  const names = await Array.fromAsync(
    Deno.readDir(join(project.root, "native/target/release")),
    ({ name }) => name,
  );
  assertEquals(names.sort(), ["libmillrace.so", "libmillrace.stamp.json"]);
});
