import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../tests/support/assertions.ts";
import { parseOptions, UsageError } from "./options.ts";

const names = ["http", "idle"];
const ids = ["epoll", "deno"];

Deno.test("parseOptions() runs everything by default", () => {
  assertEquals(parseOptions([], names, ids), {
    names,
    json: false,
    rounds: 3,
    seconds: 4,
    only: undefined,
    help: false,
  });
});

Deno.test("parseOptions() reads names and options in any order, a repeated name once", () => {
  const options = parseOptions(
    ["idle", "--json", "--rounds=2", "idle", "--seconds", "9", "--only", "deno"],
    names,
    ids,
  );
  assertEquals(options.names, ["idle"]);
  assertEquals([options.json, options.rounds, options.seconds], [true, 2, 9]);
  assertEquals(options.only, new Set(["deno"]));
});

Deno.test("parseOptions() refuses what it does not know in one line that lists what it does", () => {
  const refused: [string[], RegExp][] = [
    [["htpp"], /^unknown benchmark `htpp`: expected one of http, idle$/],
    [["--fast"], /^Unknown option '--fast': options are --rounds N, .*; benchmarks are http, idle$/],
    [["--rounds"], /argument missing: options are/],
    [["--rounds", "0"], /^--rounds `0`: expected a whole number from 1 to 1000$/],
    [["--seconds", "1.5"], /^--seconds `1.5`: expected a whole number/],
    [["--only", "deno,nginx"], /^unknown contestant `nginx`: expected one of epoll, deno$/],
  ];
  for (const [args, message] of refused) {
    assertThrowsMatching(() => parseOptions(args, names, ids), (error) => {
      assertStrictEquals(
        error instanceof UsageError && !error.message.includes("\n") && message.test(error.message),
        true,
        String(error),
      );
      return true;
    });
  }
});
