import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { parseIp } from "../../../ffi/mod.ts";
import { resolveHost } from "../../../src/io/reactor/resolve_host.ts";
import { assertSystemError, rejection } from "../../support/driver_harness.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { CountedAbort } from "../../base/timer/support.ts";

const WATCHDOG_MS = 60_000;

Deno.test("resolveHost() gives the addresses of a name", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const addresses = await resolveHost("localhost");
    assert(addresses.length > 0);
    for (const address of addresses) assert(parseIp(address) !== undefined, address);
  });
});

Deno.test("resolveHost() fails with NotFound for a name that does not exist", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const error = await rejection(resolveHost("host.invalid"));
    const code = String((error as { code?: unknown }).code);
    assertSystemError(error, { type: Deno.errors.NotFound, operation: "resolve", code });
    assertMatch(String(error), /host\.invalid/);
  });
});

Deno.test("resolveHost() rejects with the signal's reason and leaves no listener", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const reason = new Error("given up");
    const [early, late, calm] = [new CountedAbort(), new CountedAbort(), new CountedAbort()];
    early.abort(reason);
    assertStrictEquals(await rejection(resolveHost("localhost", early.signal)), reason);
    const resolving = resolveHost("localhost", late.signal);
    late.abort(reason);
    assertStrictEquals(await rejection(resolving), reason);
    await resolveHost("localhost", calm.signal);
    assertEquals([early, late, calm].map(({ listenerCount }) => listenerCount), [0, 0, 0]);
  });
});
