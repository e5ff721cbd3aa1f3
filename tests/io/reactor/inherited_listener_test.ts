import { assertEquals, assertStrictEquals } from "@std/assert";
import { runProgram } from "../../support/driver_program.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const WATCHDOG_MS = 60_000;

/** What a program sees of sockets that its environment promises. */
async function inherited(environment: Record<string, string>, flags = ["-A"]): Promise<unknown> {
  const source = `
    import { inheritedListener } from "@millrace/millrace/reactor";
    console.log(JSON.stringify(["http", "admin", "unknown", "none"].map((name) => inheritedListener(name) ?? null)));
  `;
  // Only in the process that it names counts what the environment says.
  const program = environment.LISTEN_PID === "own"
    ? `Deno.env.set("LISTEN_PID", String(Deno.pid));${source}`
    : source;
  const { code, stdout, stderr } = await runProgram(program, { environment, flags });
  assertStrictEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("inheritedListener() goes by systemd's variables, for the process that they name", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const variables = { LISTEN_FDS: "2", LISTEN_FDNAMES: "http:admin:none", LISTEN_PID: "own" };
    assertEquals(await inherited(variables), [{ descriptor: 3 }, { descriptor: 4 }, null, null]);
    assertEquals(await inherited({ ...variables, LISTEN_PID: "1" }), [null, null, null, null]);
    assertEquals(await inherited({ LISTEN_FDS: "1", LISTEN_PID: "own" }), [
      null,
      null,
      { descriptor: 3 },
      null,
    ]);
    assertEquals(await inherited({ LISTEN_FDS: "x", LISTEN_PID: "own" }), [null, null, null, null]);
    assertEquals(await inherited({}), [null, null, null, null]);
  });
});

Deno.test("inheritedListener() goes by the variable of a supervisor that passes connections on", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const relay = { relayPath: "/tmp/x", address: { hostname: "127.0.0.1", port: 80 } };
    assertEquals(await inherited({ MILLRACE_LISTEN: JSON.stringify({ admin: relay }) }), [
      null,
      relay,
      null,
      null,
    ]);
  });
});

Deno.test("listen({ inherit }) and serve({ inherit }) refuse a name that is none of those that there are", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const source = `
      import { serve } from "@millrace/millrace/http";
      import { listen } from "@millrace/millrace/net";
      for (const open of [listen, (options) => serve(options, () => new Response())]) {
        try {
          open({ inherit: "htpp", port: 0 });
        } catch (error) {
          console.log(error.name + ": " + error.message);
        }
      }
    `;
    const relay = { relayPath: "/tmp/x", address: { hostname: "127.0.0.1", port: 80 } };
    const environment = { MILLRACE_LISTEN: JSON.stringify({ http: relay, admin: relay }) };
    const { stdout, stderr } = await runProgram(source, { environment });
    const line =
      'NotFound: listen: inherit is "htpp", expected one of the sockets that this process was started with: ' +
      "http, admin\n";
    assertStrictEquals(stdout, line + line, stderr);
  });
});
