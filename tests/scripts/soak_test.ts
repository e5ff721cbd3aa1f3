import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import { readOrder } from "../../scripts/soak.ts";
import { runCommand } from "../../scripts/support/command.ts";
import { soaks } from "../../scripts/support/soaks.ts";

const SCRIPT = new URL("../../scripts/soak.ts", import.meta.url).pathname;

function soak(...parameters: string[]): ReturnType<typeof runCommand> {
  return runCommand(Deno.execPath(), ["run", "-A", "--no-check", SCRIPT, ...parameters]);
}

Deno.test("readOrder() takes a name, and seconds and a seed when they are given", () => {
  const { soak, seconds, seed } = readOrder(["queue", "--seconds", "5", "--seed", "7"]);
  assertEquals([soak.name, seconds, seed], ["queue", 5, 7]);
  const other = readOrder(["http"]);
  assertStrictEquals(other.seconds, 60);
  assert(Number.isInteger(other.seed) && other.seed >= 0 && other.seed < 2 ** 32);
});

Deno.test("readOrder() refuses what there is not", () => {
  assertThrowsMatching(() => readOrder(["nothing"]), { message: /^"nothing", expected one of queue, / });
  assertThrows(() => readOrder(["queue", "state"]), TypeError);
  for (const text of ["-1", "x", "1.5", ""]) {
    assertThrows(() => readOrder(["queue", `--seconds=${text}`]), RangeError);
  }
  assertThrows(() => readOrder(["queue", "--minutes", "1"]), TypeError);
});

Deno.test("soaks names tests that exist", async () => {
  for (const { name, files, filter = "" } of soaks) {
    const texts = await Promise.all(
      files.map((file) => Deno.readTextFile(new URL(`../../${file}`, import.meta.url))),
    );
    assert(texts.length > 0 && texts.join("").includes(filter), name);
  }
});

Deno.test("deno task soak lists what there is, and fails with 2 for what there is not", async () => {
  const listed = await soak();
  assert(listed.success);
  for (const { name } of soaks) assert(listed.output.includes(`\n  ${name} `), listed.output);
  const refused = await soak("nothing");
  assertEquals([refused.code, refused.output], [2, ""]);
  assertMatch(refused.transcript, /^soak: "nothing", expected one of /);
});

Deno.test("deno task soak NAME runs it by the seed that is given", async () => {
  const { code, transcript } = await soak("queue-twin", "--seconds", "0", "--seed", "11");
  assertStrictEquals(code, 0, transcript);
  assertMatch(
    transcript,
    /^queue-twin: seed 11, \d+ s\nqueue-twin: 1 runs in \d+ s, from seed 11, none failed\n$/,
  );
});
