import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { floatsOf, inWordsOf, wordsOf } from "../../../src/ipc/sharing/shared_region.ts";

Deno.test("wordsOf() and floatsOf() show the same bytes, without those that make no whole word", () => {
  const bytes = new Uint8Array(new ArrayBuffer(32), 8, 23);
  assertEquals([wordsOf(bytes).length, floatsOf(bytes).length], [5, 2]);
  wordsOf(bytes)[1] = -1;
  assertEquals([...bytes.subarray(0, 9)], [0, 0, 0, 0, 255, 255, 255, 255, 0]);
});

Deno.test("inWordsOf() names what was wanted and keeps the cause", () => {
  const missing = new Deno.errors.NotFound("no such file");
  const fail = (error: Error) => () => {
    throw error;
  };
  assertThrowsMatching(
    () => inWordsOf("open", "queue jobs", fail(missing)),
    (error: Error) => error.message === "open queue jobs: there is none" && error.cause === missing,
  );
  assertThrowsMatching(
    () => inWordsOf("create", "queue jobs", fail(new Deno.errors.AlreadyExists("it is there"))),
    { message: "create queue jobs: it exists already" },
  );
  // That there is no directory to create it in is something else.
  assertThrowsMatching(() => inWordsOf("create", "queue jobs", fail(missing)), missing);
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  assertThrowsMatching(() => inWordsOf("create", "queue jobs", fail(full)), {
    message: "create queue jobs: no space left",
    code: "ENOSPC",
  });
  const forbidden = Object.assign(new Error("open queue jobs: permission denied"), { code: "EACCES" });
  assertThrowsMatching(() => inWordsOf("open", "queue jobs", fail(forbidden)), {
    message: "open queue jobs: permission denied",
  });
  assertStrictEquals(inWordsOf("create", "queue jobs", () => 7), 7);
});
