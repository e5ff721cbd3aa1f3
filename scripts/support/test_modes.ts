import { join } from "node:path";
import { findCargo, runCommand } from "./command.ts";
import { exists, projectRoot } from "./project.ts";

/** One way to run the suite. */
export interface TestMode {
  /** What `--mode` calls it; tests find it in the variable `MILLRACE_TEST_MODE`. */
  readonly name: "default" | "eperm" | "enosys" | "no-native";
  /** For the header line. */
  readonly title: string;
  /** The errno that io_uring calls fail with. */
  readonly refusal?: "EPERM" | "ENOSYS";
  readonly environment: Readonly<Record<string, string>>;
  /** Folders of tests that this mode leaves out, because what they test is the same in it. */
  readonly without: readonly string[];
}

/** The commands' own tests know no modes; scripts/test.ts only looks like a test. */
const commands = ["scripts", "tests/scripts"];
/** What these test does not know of io_uring, and imports nothing that does. */
const knowNoUring = [
  "bench",
  "tests/base",
  "tests/ipc/memory",
  "tests/ipc/queue",
  "tests/ipc/ring",
];

/** Every mode, in the order in which they run. */
export const testModes: readonly TestMode[] = [
  { name: "default", title: "default", environment: {}, without: ["scripts"] },
  {
    name: "eperm",
    title: "io_uring refused with EPERM",
    refusal: "EPERM",
    environment: {},
    without: [...commands, ...knowNoUring],
  },
  {
    name: "enosys",
    title: "io_uring refused with ENOSYS",
    refusal: "ENOSYS",
    environment: {},
    without: [...commands, ...knowNoUring],
  },
  {
    name: "no-native",
    title: "without the native library",
    environment: { MILLRACE_NATIVE: "off" },
    without: commands,
  },
];

/** A program that can run others with io_uring refused, or why there is none. */
export type RefusalProgram =
  | { readonly state: "ready"; readonly path: string }
  | { readonly state: "unavailable"; readonly reason: string };

/** Builds tests/support/refuse_io_uring when needed and tries it out on this kernel. */
export async function prepareRefusalProgram(root: string = projectRoot): Promise<RefusalProgram> {
  if (Deno.build.os !== "linux") return { state: "unavailable", reason: "seccomp filters are Linux's" };
  const directory = join(root, "tests/support/refuse_io_uring");
  const path = join(directory, "target/release/refuse_io_uring");
  const cargo = await findCargo();
  if (cargo !== undefined) {
    const parameters = ["build", "--release", "--locked", "--quiet", "--target-dir", "target"];
    const build = await runCommand(cargo, parameters, { directory, showProgress: true });
    if (!build.success) {
      return { state: "unavailable", reason: `building the seccomp helper ended with code ${build.code}` };
    }
  } else if (!await exists(path)) {
    return { state: "unavailable", reason: "cargo, which builds the seccomp helper, was not found" };
  }
  const trial = await runCommand(path, ["EPERM", "/bin/true"]);
  if (trial.success) return { state: "ready", path };
  return {
    state: "unavailable",
    reason: trial.transcript.trim() || `the helper ended with code ${trial.code}`,
  };
}
