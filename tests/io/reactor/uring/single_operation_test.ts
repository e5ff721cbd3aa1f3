import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { UringDriver } from "../../../../src/io/reactor/mod.ts";
import { CountedAbort } from "../../../base/timer/support.ts";
import { rejection } from "../../../support/driver_harness.ts";
import { nameSkipReason } from "../../../support/driver_native.ts";
import { URING_RUNGS, uringSkipReason } from "../../../support/driver_uring.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 30_000;
const skipReason = uringSkipReason();

nameSkipReason("cancelling on io_uring", skipReason);

/** A driver with a single buffer, so that whoever holds it is known, and a pipe to read from for ever. */
async function withPipe(
  rung: "full" | "basic",
  body: (driver: UringDriver, path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_pipe_" });
  try {
    const path = join(directory, "pipe");
    const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
    assert(success);
    using driver = UringDriver.open({ rung, bufferCountMax: 1 });
    await withWatchdog(WATCHDOG_MS, () => body(driver, path));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Polls until `promise` has settled. */
async function settle<T>(driver: UringDriver, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => settled = true;
  promise.then(done, done);
  while (!settled) {
    driver.poll(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await promise;
}

for (const rung of URING_RUNGS) {
  Deno.test({
    name: `UringDriver (${rung}): a cancelled operation keeps its buffer until it has completed`,
    ignore: uringSkipReason(rung) !== undefined,
    fn: () =>
      withPipe(rung, async (driver, path) => {
        const file = await settle(driver, driver.openFile(path, { read: true, write: true }));
        const abort = new CountedAbort();
        const into = new Uint8Array(100);
        const reading = file.readAt(into, 0, { signal: abort.signal });
        const rejected = rejection(reading);
        while (driver.inFlightCount === 0) await Promise.resolve();
        // The kernel has the read, and nothing to read.
        driver.poll(0);
        assertStrictEquals(driver.inFlightCount, 1);

        const reason = new Error("given up");
        abort.abort(reason);
        assertStrictEquals(await rejected, reason);
        // The caller is free; the buffer is not, and cannot be had by anybody else.
        assertStrictEquals(driver.buffers.heldCount, 1);
        assertStrictEquals(driver.buffers.acquire(), undefined);
        assertStrictEquals(driver.inFlightCount, 1);

        // Data that comes before the kernel has heard of the cancellation lands in that buffer.
        await Deno.writeFile(path, new TextEncoder().encode("late"));
        while (driver.inFlightCount > 0) driver.poll(1);
        assertStrictEquals(driver.buffers.heldCount, 0);
        const buffer = driver.buffers.acquire();
        assert(buffer !== undefined);
        driver.buffers.release(buffer);
        assertEquals(into, new Uint8Array(100), "the caller's memory is left alone");
        assertStrictEquals(abort.listenerCount, 0);
        await settle(driver, file.close());
      }),
  });

  Deno.test({
    name: `UringDriver (${rung}).close() waits for the operations it cancels`,
    ignore: uringSkipReason(rung) !== undefined,
    fn: () =>
      withPipe(rung, async (driver, path) => {
        const file = await settle(driver, driver.openFile(path, { read: true, write: true }));
        const reading = rejection(file.readAt(new Uint8Array(100), 0));
        while (driver.inFlightCount === 0) await Promise.resolve();
        driver.poll(0);
        driver.close();
        assertEquals([driver.inFlightCount, driver.buffers.heldCount], [0, 0]);
        assertStrictEquals((await reading as { code?: string }).code, "ECANCELED");
      }),
  });
}
