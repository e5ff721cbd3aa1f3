import { assertStrictEquals } from "@std/assert";
import { abortable } from "../../../src/io/reactor/abortable.ts";
import { rejection } from "../../support/driver_harness.ts";
import { CountedAbort } from "../../base/timer/support.ts";

const REASON = new Error("given up");

Deno.test("abortable() is the promise itself as long as nobody aborts", async () => {
  const abort = new CountedAbort();
  assertStrictEquals(await abortable(Promise.resolve(7), abort.signal), 7);
  assertStrictEquals(await abortable(Promise.resolve(8), undefined), 8);
  const failure = new Error("of the promise");
  assertStrictEquals(await rejection(abortable(Promise.reject(failure), abort.signal)), failure);
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("abortable() rejects with the reason at once, whatever the promise does later", async () => {
  for (const later of ["resolves", "rejects", "stays"]) {
    const abort = new CountedAbort();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = abortable(promise, abort.signal);
    assertStrictEquals(abort.listenerCount, 1);
    abort.abort(REASON);
    assertStrictEquals(await rejection(waiting), REASON);
    if (later === "resolves") resolve();
    // Nobody waits for it any more, and nobody is to hear of it as unhandled.
    if (later === "rejects") reject(new Error("late"));
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertStrictEquals(abort.listenerCount, 0);
  }
});

Deno.test("abortable() rejects for a signal that is aborted already", async () => {
  const abort = new CountedAbort();
  abort.abort(REASON);
  assertStrictEquals(await rejection(abortable(new Promise(() => {}), abort.signal)), REASON);
  assertStrictEquals(abort.listenerCount, 0);
});
