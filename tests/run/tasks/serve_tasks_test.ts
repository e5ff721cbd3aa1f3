import { assertStrictEquals } from "@std/assert";
import { supervise } from "../../../src/run/process/mod.ts";
import { ChannelHub } from "../../../src/run/tasks/mod.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { TASKS_URL } from "./support.ts";

const ENTRY = new URL("../../../src/run/tasks/worker_entry.ts", import.meta.url).href;

Deno.test("serveTasks() ends its worker when the channel ends, so that another takes its place", () =>
  withWatchdog(60_000, async () => {
    await using hub = await ChannelHub.open();
    await using supervisor = await supervise([{
      name: "worker",
      command: Deno.execPath(),
      args: ["run", "-A", "--no-check", ENTRY, TASKS_URL],
      env: hub.env,
      instances: 1,
      restart: { policy: "never" },
      output: { kind: "null" },
    }], { log: () => {} });
    for await (const channel of hub) {
      await channel.call<{ pid(): number }, "pid">("pid", []);
      await channel.close();
      break;
    }
    await supervisor.finished;
    assertStrictEquals(supervisor.status()[0].lastExit?.code, 1);
  }));
