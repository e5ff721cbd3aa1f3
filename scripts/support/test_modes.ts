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
  /** Files and folders that it runs; everything when there are none. */
  readonly only: readonly string[];
  /** Folders that it leaves out, because what they test is the same in it. */
  readonly without: readonly string[];
}

/** What finds out that io_uring is refused, and why. */
const LADDER = ["tests/io/reactor/uring/uring_probe_test.ts", "tests/io/reactor/open_driver_test.ts"];

/**
 * What opens the fastest driver there is, and so runs on Deno's own I/O where io_uring is refused: groups of cores, workers that serve what their
 * supervisor listens on, the examples that serve or copy, a program outside the project. Whatever names its driver runs on each in the default
 * mode: the conformance suite of the drivers, `net`, `http`, and those tests of `cores` that say so. The rest opens no driver.
 */
const OPENS_THE_FASTEST: readonly string[] = [
  "tests/run/cores",
  ...["chaos", "reload", "worker_main", "worker"].map((name) => `tests/run/process/${name}_test.ts`),
  ...[
    "file_copy",
    "http_echo",
    "http_echo_cores",
    "http_gateway",
    "servers_command_line",
    "sharded_counter",
    "supervised_http",
    "tcp_echo",
  ].map((name) => `tests/examples/${name}_test.ts`),
  "tests/integration/consumer_test.ts",
];

/** What is the same without the library: it neither asks for it nor for what it decides. */
const PURE = [
  "bench",
  "tests/base",
  // All but rings in memory of one process needs the library and is skipped without it; those rings do not ask for it.
  "tests/ipc",
  // The harness of HTTP leaves the simulated driver out in this mode, too.
  "tests/io/reactor/simulated",
];

/** Every mode, in the order in which they are listed. */
export const testModes: readonly TestMode[] = [
  { name: "default", title: "default", environment: {}, only: [], without: ["scripts"] },
  {
    name: "eperm",
    title: "what io_uring decides, with it refused by EPERM",
    refusal: "EPERM",
    environment: {},
    only: [...LADDER, ...OPENS_THE_FASTEST],
    without: [],
  },
  {
    name: "enosys",
    title: "what finds out, and an example, with io_uring refused by ENOSYS",
    refusal: "ENOSYS",
    environment: {},
    // From there on the two refusals are one.
    only: [...LADDER, "tests/examples/http_echo_test.ts"],
    without: [],
  },
  {
    name: "no-native",
    title: "without the native library",
    environment: { MILLRACE_NATIVE: "off" },
    only: [],
    without: ["scripts", "tests/scripts", ...PURE],
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
