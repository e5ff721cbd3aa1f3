import { assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { missingTool, unavailableMessage } from "../../scripts/build_native.ts";
import { type CommandResult, runCommand } from "../../scripts/support/command.ts";
import { listFiles, projectRoot } from "../../scripts/support/project.ts";
import { makeProject, type TemporaryProject } from "./support/temporary_project.ts";

const ignore = Deno.build.os !== "linux";
const LIBRARY = "native/target/release/libmillrace.so";

/** A project with this project's scripts and a crate that only the stand-in for cargo can build. */
async function makeCopy(cargo: string): Promise<TemporaryProject> {
  const project = await makeProject({ "native/Cargo.toml": "[package]", "native/src/lib.rs": "" });
  const scripts = join(projectRoot, "scripts");
  for (const file of await listFiles(scripts)) {
    await project.write(`scripts/${file}`, await Deno.readTextFile(join(scripts, file)));
  }
  await project.write("cargo", `#!/bin/sh\n[ "$1" = --version ] && exit 0\n${cargo}\n`, 0o755);
  return project;
}

async function build(
  project: TemporaryProject,
  environment: Readonly<Record<string, string>>,
  ...parameters: string[]
): Promise<CommandResult> {
  return await runCommand(
    Deno.execPath(),
    ["run", "-A", "--no-check", join(project.root, "scripts/build_native.ts"), ...parameters],
    {
      environment: { CARGO: join(project.root, "cargo"), MILLRACE_NATIVE: "", NO_COLOR: "1", ...environment },
      timeoutMs: 60_000,
    },
  );
}

const SUCCEEDING_CARGO =
  `echo run >> ../runs; sleep 0.3; mkdir -p target/release; echo built > target/release/libmillrace.so`;

Deno.test({ name: "build_native builds once, and again when a source changed", ignore }, async () => {
  await using project = await makeCopy(SUCCEEDING_CARGO);
  assertStrictEquals((await build(project, {}, "--check")).code, 1);
  assertStrictEquals((await build(project, {})).code, 0);
  assertStrictEquals((await build(project, {})).transcript, "");
  assertStrictEquals((await build(project, {}, "--check")).code, 0);
  await project.write("native/src/lib.rs", "// changed");
  const check = await build(project, {}, "--check");
  assertStrictEquals(check.code, 1);
  assertStrictEquals(check.transcript, "build_native: the native library is stale: run `deno task build`\n");
  assertStrictEquals((await build(project, {})).code, 0);
  assertStrictEquals(await Deno.readTextFile(join(project.root, "runs")), "run\nrun\n");
});

Deno.test({ name: "build_native lets one of two processes build", ignore }, async () => {
  await using project = await makeCopy(SUCCEEDING_CARGO);
  const results = await Promise.all([build(project, {}), build(project, {})]);
  assertEquals(results.map(({ code }) => code), [0, 0]);
  assertStrictEquals(await Deno.readTextFile(join(project.root, "runs")), "run\n");
});

Deno.test(
  { name: "build_native leaves the library stale when a source changes meanwhile", ignore },
  async () => {
    await using project = await makeCopy(`echo "// edited" > src/lib.rs\n${SUCCEEDING_CARGO}`);
    assertStrictEquals((await build(project, {})).code, 0);
    assertStrictEquals((await build(project, {}, "--check")).code, 1);
  },
);

Deno.test({ name: "build_native --if-possible says once what is missing and succeeds", ignore }, async () => {
  await using project = await makeCopy("echo 'error: linker `cc` not found' >&2; exit 101");
  const possible = await build(project, {}, "--if-possible");
  assertStrictEquals(possible.code, 0);
  assertStrictEquals(possible.transcript.match(/running without the native library/g)?.length, 1);
  assertMatch(possible.transcript, /linker.*not found.*io_uring.*install Rust/s);
  assertStrictEquals((await build(project, {})).code, 1);
});

Deno.test({ name: "build_native --if-possible fails when the sources do not compile", ignore }, async () => {
  await using project = await makeCopy("echo 'error[E0425]: cannot find value' >&2; exit 101");
  const result = await build(project, {}, "--if-possible");
  assertStrictEquals(result.code, 1);
  assertMatch(result.transcript, /build_native: cargo build ended with code 101\n$/);
});

Deno.test({ name: "build_native fails when cargo leaves no library", ignore }, async () => {
  await using project = await makeCopy("exit 0");
  const result = await build(project, {});
  assertStrictEquals(result.code, 1);
  assertMatch(result.transcript, new RegExp(`cargo left no library at .*${LIBRARY}\n$`));
});

Deno.test(
  { name: "build_native --if-possible builds nothing for whoever names a library", ignore },
  async () => {
    await using project = await makeCopy("exit 101");
    const result = await build(project, { MILLRACE_NATIVE: "off" }, "--if-possible");
    assertEquals([result.code, result.transcript], [0, ""]);
  },
);

Deno.test({ name: "build_native --if-possible succeeds without cargo", ignore }, async () => {
  await using project = await makeCopy("exit 101");
  const environment = { CARGO: "", CARGO_HOME: project.root, PATH: project.root };
  // The stand-in is found on this PATH: it has to go for there to be none.
  assertStrictEquals((await build(project, environment, "--if-possible")).code, 1);
  await Deno.remove(join(project.root, "cargo"));
  const result = await build(project, environment, "--if-possible");
  assertStrictEquals(result.code, 0);
  assertMatch(
    result.transcript,
    /^millrace: running without the native library, .*: cargo was not found\. .*\n$/,
  );
  assertStrictEquals((await build(project, environment)).code, 1);
});

Deno.test("unavailableMessage() does not call a stale library none", () => {
  assertMatch(
    unavailableMessage({ reason: "cargo was not found", stale: true }),
    /^millrace: using a native library that was not made from these sources, because .*: cargo was not found\./,
  );
});

Deno.test({ name: "build_native refuses an argument it does not know", ignore }, async () => {
  await using project = await makeCopy("exit 0");
  const result = await build(project, {}, "--fast");
  assertStrictEquals(result.code, 2);
  assertMatch(result.transcript, /^build_native: unknown argument --fast, expected .*\n$/);
});

Deno.test("missingTool() tells a machine that lacks something from sources that are wrong", () => {
  for (
    const transcript of [
      "error: linker `cc` not found",
      "error: rustup could not choose a version of cargo to run, because one wasn't specified explicitly",
      "error: package `x v1.0.0` cannot be built because it requires rustc 1.85 or newer",
      "error: rustc 1.70.0 is not supported by the following package:",
      "error: failed to download from `https://example.org/crate`",
      "error: failed to get `libc` as a dependency of package `millrace`",
    ]
  ) assertNotStrictEquals(missingTool(transcript), undefined, transcript);
  for (
    const transcript of [
      "error[E0308]: mismatched types",
      "error: the lock file needs to be updated but --locked was passed to prevent this",
    ]
  ) assertStrictEquals(missingTool(transcript), undefined, transcript);
});
