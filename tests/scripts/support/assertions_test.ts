import { assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";
import {
  assertRejectsMatching,
  assertThrowsMatching,
  type ExpectedThrown,
} from "../../support/assertions.ts";

class OwnError extends RangeError {
  override readonly name = "OwnError";
  readonly code = 7;
}

const thrown = new OwnError("no more than 3");
const fits: ExpectedThrown[] = [
  OwnError,
  RangeError,
  Error,
  /^OwnError: no more than \d$/,
  { name: "OwnError", code: 7 },
  { message: /than 3/ },
  (error: Error) => error === thrown,
  new OwnError("no more than 3"),
];
const fitsNot: ExpectedThrown[] = [
  TypeError,
  /than 4/,
  { name: "OwnError", code: 8 },
  { message: "than 3" },
  { message: /than 4/ },
  { absent: 1 },
  () => false,
  new OwnError("no more than 4"),
  new RangeError("no more than 3"),
];

Deno.test("assertThrowsMatching() takes what fits, and nothing else", () => {
  const fail = () => {
    throw thrown;
  };
  for (const expected of fits) assertThrowsMatching(fail, expected);
  for (const expected of fitsNot) {
    assertThrows(() => assertThrowsMatching(fail, expected), AssertionError);
  }
  assertThrows(() => assertThrowsMatching(() => {}, Error), AssertionError);
  assertThrows(() => assertThrowsMatching(fail, {}), TypeError);
  const unlike = assertThrows(() => assertThrowsMatching(fail, /x/, "why"), AssertionError);
  assertEquals(unlike.message.includes("why"), true);
});

Deno.test("assertRejectsMatching() takes what fits, and nothing else", async () => {
  for (const expected of fits) await assertRejectsMatching(() => Promise.reject(thrown), expected);
  for (const expected of fitsNot) {
    await assertRejects(() => assertRejectsMatching(() => Promise.reject(thrown), expected), AssertionError);
  }
  await assertRejects(() => assertRejectsMatching(() => Promise.resolve(), Error), AssertionError);
});
