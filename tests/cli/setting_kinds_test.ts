import { assertEquals, assertStrictEquals } from "@std/assert";
import { choice, duration, permissions, text, toggle, wholeNumber } from "../../src/cli/setting_kinds.ts";

Deno.test("wholeNumber() takes whole numbers in its range, and nothing else", () => {
  const kind = wholeNumber(1, 16);
  assertStrictEquals(kind.expected, "1 to 16");
  for (const good of ["1", "16", "007"]) assertStrictEquals(kind.fromText(good), Number(good));
  for (const bad of ["0", "17", "", " 1", "1.0", "1e1", "0x1", "-1", "+1", "one"]) {
    assertStrictEquals(kind.fromText(bad), undefined, bad);
  }
  assertStrictEquals(kind.fromToml(16), 16);
  for (const bad of [0, 17, 1.5, "1", true, undefined, NaN]) {
    assertStrictEquals(kind.fromToml(bad), undefined);
  }
});

Deno.test("duration() takes a number of seconds or with a unit, and gives milliseconds", () => {
  const kind = duration(0);
  const cases = { "0": 0, "2": 2000, "0.5": 500, "500ms": 500, "1.5s": 1500, "2m": 120_000, "1h": 3_600_000 };
  for (const [written, ms] of Object.entries(cases)) assertStrictEquals(kind.fromText(written), ms, written);
  assertStrictEquals(kind.fromText("365d"), 365 * 86_400_000);
  for (const bad of ["366d", "", "s", "-1s", "1 s", "1w", "1e3", ".5", "Infinity"]) {
    assertStrictEquals(kind.fromText(bad), undefined, bad);
  }
  assertStrictEquals(kind.fromToml("2m"), 120_000);
  assertStrictEquals(kind.fromToml(0.5), 500);
  for (const bad of [-1, Infinity, true, {}]) assertStrictEquals(kind.fromToml(bad), undefined);
  assertStrictEquals(duration(Number.MIN_VALUE).fromText("0"), undefined);
});

Deno.test("choice() takes its words only", () => {
  const kind = choice("wait", "fail", "drop-oldest");
  assertEquals([kind.expected, kind.placeholder], [
    "wait, fail or drop-oldest",
    "wait|fail|drop-oldest",
  ]);
  assertStrictEquals(kind.fromText("fail"), "fail");
  assertStrictEquals(kind.fromText("Fail"), undefined);
  assertStrictEquals(kind.fromToml(["fail"]), undefined);
});

Deno.test("permissions takes octal digits from 600 on, in a file only as a text", () => {
  for (const digits of ["600", "0600", "0o600"]) assertStrictEquals(permissions.fromText(digits), 0o600);
  for (const bad of ["0", "077", "577", "66", "800", "1777", "", "rw", "6.0"]) {
    assertStrictEquals(permissions.fromText(bad), undefined);
  }
  assertStrictEquals(permissions.fromToml("640"), 0o640);
  assertStrictEquals(permissions.fromToml(384), undefined);
});

Deno.test("toggle takes the usual words, in a file only true and false", () => {
  for (const word of ["true", "yes", "on", "1"]) assertStrictEquals(toggle.fromText(word), true);
  for (const word of ["false", "no", "off", "0"]) assertStrictEquals(toggle.fromText(word), false);
  for (const bad of ["", "TRUE", "2"]) assertStrictEquals(toggle.fromText(bad), undefined);
  assertStrictEquals(toggle.fromToml(false), false);
  assertStrictEquals(toggle.fromToml("true"), undefined);
});

Deno.test("text() takes any text, in a file nothing else", () => {
  assertStrictEquals(text("path").placeholder, "path");
  assertStrictEquals(text("path").fromText(""), "");
  assertStrictEquals(text("path").fromToml(1), undefined);
});
