import { assert, assertEquals } from "@std/assert";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { Child } from "../../support/net_child.ts";
import type { DamageKind } from "./damage_program.ts";

nameSkipReason("State, locks and pools in damaged memory", nativeSkipReason());

const PROGRAM = new URL("./damage_program.ts", import.meta.url).pathname;
const WATCHDOG_MS = 55_000;

function damageTest(what: string, kind: DamageKind): void {
  nativeTest(`${what}: a flipped byte gives errors, and costs nothing for good`, async () => {
    const args = ["run", "-A", "--no-lock", "--no-check", PROGRAM, kind];
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

damageTest("SharedState", "state");
damageTest("SharedLock and SharedSemaphore", "permits");
damageTest("MemoryPool", "pool");
