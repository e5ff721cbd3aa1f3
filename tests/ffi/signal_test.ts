import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { TakenSignal } from "../../ffi/mod.ts";
import { nativeTest } from "../support/driver_native.ts";

/** Milliseconds in which a signal that this process sends itself arrives. */
const SIGNAL_MS_MAX = 20_000;

const until = async (condition: () => boolean): Promise<void> => {
  const endMs = performance.now() + SIGNAL_MS_MAX;
  while (!condition()) {
    assert(performance.now() < endMs, `${SIGNAL_MS_MAX} ms have not been enough for: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};

nativeTest("TakenSignal has a signal alone until it is closed, and then gives it back", async () => {
  let own = 0;
  let taken = 0;
  const listener = (): void => void own++;
  // One that nothing else in this process uses.
  Deno.addSignalListener("SIGWINCH", listener);
  const signal = new TakenSignal("SIGWINCH", () => taken++);
  assertThrows(() => new TakenSignal("SIGWINCH", () => {}), Deno.errors.Busy);
  for (let round = 1; round <= 3; round++) {
    Deno.kill(Deno.pid, "SIGWINCH");
    await until(() => taken >= round);
  }
  assertStrictEquals(own, 0);
  signal.close();
  signal.close();
  Deno.kill(Deno.pid, "SIGWINCH");
  await until(() => own === 1);
  assertStrictEquals(taken, 3);
  Deno.removeSignalListener("SIGWINCH", listener);
});

nativeTest("TakenSignal refuses what cannot be handled", () => {
  assertThrows(() => new TakenSignal("SIGKILL", () => {}), Deno.errors.InvalidData);
  assertThrows(() => new TakenSignal("SIGNAL" as Deno.Signal, () => {}), TypeError);
});
