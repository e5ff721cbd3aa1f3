import { assert, assertEquals } from "@std/assert";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { Child } from "../../support/net_child.ts";
import type { DamageOrder } from "./damage_program.ts";

nameSkipReason("SharedQueue in damaged memory", nativeSkipReason());

const PROGRAM = new URL("./damage_program.ts", import.meta.url).pathname;
const WATCHDOG_MS = 55_000;

function damageTest(what: string, order: DamageOrder): void {
  nativeTest(`${what}: a flipped byte costs messages at most, native code: ${order.native}`, async () => {
    const args = ["run", "-A", "--no-lock", "--no-check", PROGRAM, JSON.stringify(order)];
    await using child = new Child(args, { watchdogMs: WATCHDOG_MS });
    const { code, signal, stdout, stderr } = await child.ended();
    const lines = stdout.trimEnd().split("\n");
    const last = lines[lines.length - 1];
    assertEquals([code, signal], [0, null], `crashed, or hung, at ${last}: ${stderr}`);
    const { cases, problems } = JSON.parse(last);
    assert(cases > 500);
    assertEquals(problems, []);
  });
}

for (const native of [true, false]) {
  damageTest("SharedQueue", { native, kind: "plain" });
  damageTest("SharedMailbox", { native, kind: "mailbox" });
}
// Native code has no part in these.
damageTest("SharedQueue with partitions", { native: false, kind: "partitions" });
damageTest("SharedQueue with checksums", { native: false, kind: "checksums" });
