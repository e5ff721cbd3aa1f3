import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";
import { httpTest } from "../../support/http_harness.ts";
import { driverSuffix, REAL_DRIVERS } from "../../support/net_harness.ts";
import { runProgram, startProgram } from "../../support/net_child.ts";

/** Real milliseconds that a process which should stay gets to end all the same. */
const STAYS_MS = 1000;

/** What a program does with its server before somebody connects, and after. */
interface Parts {
  readonly idleTimeoutMs?: number;
  readonly before?: string;
  readonly after?: string;
}

/**
 * A program with a `server` that has answered a `client` and keeps the connection. The client is Deno's own, which keeps no
 * process alive unless it reads.
 */
function program(driver: string, { idleTimeoutMs = 3_600_000, before = "", after = "" }: Parts): string {
  return `
    import { HttpResponse, serve } from "@millrace/millrace/http";
    import { Reactor } from "@millrace/millrace/reactor";
    const reactor = Reactor.open({ driver: "${driver}" });
    const options = { port: 0, hostname: "127.0.0.1", reactor, idleTimeoutMs: ${idleTimeoutMs} };
    const server = serve(options, () => new HttpResponse("x"));
    ${before}
    const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    await client.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n"));
    await client.read(new Uint8Array(1000));
    ${after}
    console.log("body done");
  `;
}

/** What lets a process end by itself although a connection is open. */
const ENDING: Readonly<Record<string, Parts>> = {
  "HttpServer.unref() before a connection": { before: "server.unref();" },
  "HttpServer.unref() with a connection": { after: "server.unref();" },
  "HttpServer.unref() with a connection, while it sleeps": {
    after: "setTimeout(() => server.unref(), 50);",
  },
  "HttpServer.unref() after unref() and ref()": {
    before: "server.unref();",
    after: "server.ref(); server.unref();",
  },
};

/** What keeps it alive. */
const STAYING: Readonly<Record<string, Parts>> = {
  "an HttpServer with a connection": {},
  "an HttpServer with a connection after unref() and ref()": {
    before: "server.unref();",
    after: "server.ref();",
  },
};

/** What does not keep a deadline from being noticed while the process lives. */
const IN_TIME: Readonly<Record<string, Parts>> = {
  "HttpServer.unref() before a connection": { before: "server.unref();" },
  "HttpServer.unref() with a connection": { after: "server.unref();" },
  "HttpServer.unref() and ref()": { before: "server.unref();", after: "server.ref();" },
};

for (const driver of REAL_DRIVERS) {
  const ignore = driver.skipReason !== undefined;
  const suffix = driverSuffix(driver);

  for (const [what, parts] of Object.entries(ENDING)) {
    Deno.test({
      name: `a process ends with ${what} ${suffix}`,
      ignore,
      async fn() {
        const outcome = await runProgram(program(driver.name, parts));
        assertEquals(outcome, { code: 0, signal: null, stdout: "body done\n", stderr: "" });
      },
    });
  }

  for (const [what, parts] of Object.entries(STAYING)) {
    Deno.test({
      name: `a process stays for ${what} ${suffix}`,
      ignore,
      async fn() {
        await using child = await startProgram(program(driver.name, parts));
        await child.says(/body done/);
        let ended = false;
        child.ended().then(() => ended = true);
        await new Promise((resolve) => setTimeout(resolve, STAYS_MS));
        assertStrictEquals(ended, false);
      },
    });
  }

  for (const [what, parts] of Object.entries(IN_TIME)) {
    Deno.test({
      name: `an idle connection is closed in time after ${what} ${suffix}`,
      ignore,
      async fn() {
        const after = `
          ${parts.after ?? ""}
          console.log(await client.read(new Uint8Array(1)));
          await server.shutdown();
        `;
        const outcome = await runProgram(program(driver.name, { ...parts, idleTimeoutMs: 100, after }));
        assertEquals(outcome, { code: 0, signal: null, stdout: "null\nbody done\n", stderr: "" });
      },
    });
  }
}

httpTest("HttpServer.unref() leaves its deadlines in the time of its driver", async (http) => {
  const hourMs = 3_600_000;
  const server = http.serve(() => new HttpResponse("x"), {
    idleTimeoutMs: hourMs,
    headerTimeoutMs: hourMs,
    bodyTimeoutMs: hourMs,
    writeTimeoutMs: hourMs,
  });
  server.unref();
  const client = await http.connect(server);
  const beganMs = http.reactor.nowMs();
  await client.assertEnd();
  assert(http.reactor.nowMs() - beganMs >= hourMs);
}, { drivers: ["simulated"] });
