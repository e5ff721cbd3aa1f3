import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { runCommand } from "../../../scripts/support/command.ts";
import { prepareRefusalProgram } from "../../../scripts/support/test_modes.ts";

const program = await prepareRefusalProgram();
const reason = program.state === "unavailable" ? ` (skipped: ${program.reason})` : "";
const path = program.state === "ready" ? program.path : "";
const ignore = path === "";

Deno.test({ name: `refuse_io_uring becomes the program it is given${reason}`, ignore }, async () => {
  const result = await runCommand(path, ["ENOSYS", "/bin/sh", "-c", "echo $0 $1; exit 7", "a", "b c"]);
  assertEquals([result.code, result.output], [7, "a b c\n"]);
});

Deno.test(
  { name: `refuse_io_uring leaves a filter that the program cannot shed${reason}`, ignore },
  async () => {
    const result = await runCommand(path, ["EPERM", "/bin/cat", "/proc/self/status"]);
    assertMatch(result.output, /^NoNewPrivs:\s*1$/m);
    assertMatch(result.output, /^Seccomp:\s*2$/m);
  },
);

Deno.test({ name: `refuse_io_uring says in one line what is wrong${reason}`, ignore }, async () => {
  for (
    const [parameters, code, message] of [
      [[], 2, /^refuse_io_uring: usage: .*\n$/],
      [["EIO", "/bin/true"], 2, /^refuse_io_uring: usage: .*\n$/],
      [["EPERM"], 2, /^refuse_io_uring: usage: .*\n$/],
      [["EPERM", "/no/such/program"], 126, /^refuse_io_uring: start \/no\/such\/program: No such file.*\n$/],
    ] as const
  ) {
    const result = await runCommand(path, parameters);
    assertStrictEquals(result.code, code);
    assertMatch(result.transcript, message);
  }
});
