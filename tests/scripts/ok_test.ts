import { assertEquals, assertMatch } from "@std/assert";
import { type Check, runChecks } from "../../scripts/ok.ts";

Deno.test("runChecks() goes on after a failure and names what failed", async () => {
  const ran: string[] = [];
  const lines: string[] = [];
  const check = (name: string, run: Check["run"]): Check => ({ name, run: () => (ran.push(name), run()) });
  const failed = await runChecks([
    check("first", () => Promise.resolve({ state: "fail", detail: "" })),
    check("second", () => Promise.resolve({ state: "skip", detail: "not on this machine" })),
    check("third", () => Promise.reject(new Error("thrown"))),
    check("fourth", () => Promise.resolve({ state: "ok" })),
  ], (line) => lines.push(line));
  assertMatch(
    lines.join("\n"),
    /^fail {2}first .*\nskip {2}second .*: not on this machine\nfail {2}third .*\n +thrown\nok /,
  );
  assertEquals(failed, ["first", "third"]);
  assertEquals(ran, ["first", "second", "third", "fourth"]);
});
