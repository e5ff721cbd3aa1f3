import { assert, assertMatch } from "@std/assert";
import type { CoreGroupOptions } from "../../../src/run/cores/mod.ts";
import { coresTest, errorOf, startGroup } from "./support.ts";

const WRONG: [
  options: Record<string, unknown>,
  type: typeof Error,
  named: RegExp,
][] = [
  [{ count: 0 }, RangeError, /count is 0, expected a whole number from 1 to 256/],
  [{ count: 257 }, RangeError, /count is 257/],
  [{ count: 1.5 }, RangeError, /count is 1.5/],
  [{ ringCapacityBytes: 5000 }, RangeError, /ringCapacityBytes is 5000, expected a power of two/],
  [{ ringCapacityBytes: 2048 }, RangeError, /ringCapacityBytes is 2048/],
  [{ idle: "sleep" }, TypeError, /idle is "sleep", expected one of block, cooperate, spin/],
  [{ driver: "epoll" }, TypeError, /driver is "epoll"/],
  [{ onCoreDeath: "ignore" }, TypeError, /onCoreDeath is "ignore"/],
  [{ module: "./core.ts" }, TypeError, /module is "\.\/core\.ts", expected a whole URL/],
  [{ shutdownTimeoutMs: -1 }, RangeError, /shutdownTimeoutMs is -1/],
  [{ startTimeoutMs: NaN }, RangeError, /startTimeoutMs is NaN/],
  [{ stallMs: Infinity }, RangeError, /stallMs is Infinity/],
  [{ restartsMax: -1 }, RangeError, /restartsMax is -1/],
  [{ restartsMax: 1.5 }, RangeError, /restartsMax is 1.5, expected a whole number from 0/],
  [{ shutdownOn: "SIGINT" }, TypeError, /shutdownOn is 'SIGINT', expected an array of signals/],
  [{ signal: {} }, TypeError, /signal is \{\}, expected an AbortSignal/],
  [{ onStall: 5 }, TypeError, /onStall is 5, expected a function/],
  [{ onRestart: "x" }, TypeError, /onRestart is 'x', expected a function/],
  [{ cuont: 1 }, TypeError, /there is no option "cuont"/],
  [{ shutdownOn: ["SIGNOTHING"] }, TypeError, /SIGNOTHING/],
];

for (const [options, type, named] of WRONG) {
  coresTest(`startCores(${JSON.stringify(options)}) is refused at once`, async () => {
    const error = await errorOf(startGroup(options as Partial<CoreGroupOptions>));
    assert(error instanceof type, `${error}`);
    assertMatch(error.message, named);
  });
}
