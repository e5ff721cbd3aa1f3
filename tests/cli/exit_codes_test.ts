import { assertMatch, assertStrictEquals } from "@std/assert";
import {
  CommandError,
  EXIT_CODE,
  EXIT_CODES_HELP,
  exitCodeOf,
  lineOf,
  OutputClosedError,
  StoppedError,
  UsageError,
} from "../../src/cli/exit_codes.ts";
import { SharedQueueFullError } from "../../src/ipc/queue/mod.ts";

Deno.test("exitCodeOf() tells failures apart", () => {
  const cases: [error: unknown, code: number][] = [
    [new Error("x"), 1],
    [new RangeError("x"), 1],
    ["x", 1],
    [new UsageError("x"), 2],
    [new DOMException("x", "TimeoutError"), 3],
    [new DOMException("x", "AbortError"), 1],
    [new SharedQueueFullError("send", 1), 4],
    [new Deno.errors.NotFound("x"), 5],
    [new Deno.errors.AlreadyExists("x"), 6],
    [new StoppedError("SIGINT"), 130],
    [new StoppedError("SIGTERM"), 143],
    [new OutputClosedError("x"), 0],
    [new CommandError("y", { cause: new SharedQueueFullError("send", 1) }), 4],
    [new CommandError("y"), 1],
  ];
  for (const [error, code] of cases) assertStrictEquals(exitCodeOf(error), code, String(error));
});

Deno.test("EXIT_CODES_HELP names every exit code", () => {
  for (const code of Object.values(EXIT_CODE)) assertMatch(EXIT_CODES_HELP, new RegExp(`\\b${code}\\b`));
});

Deno.test("lineOf() gives one line", () => {
  assertStrictEquals(lineOf(new Error("one\n  two\n\nthree\n")), "one: two: three");
  assertStrictEquals(lineOf("text"), "text");
});
