import { assertStrictEquals } from "@std/assert";
import { probeHttp } from "../../../src/run/process/probe.ts";
import { withWatchdog } from "../../support/watchdog.ts";

Deno.test("probeHttp() is true for a status below 400 in time, and false for anything else", async () => {
  await withWatchdog(60_000, async () => {
    let port = 0;
    const hanging = Promise.withResolvers<Response>();
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: (addr) => port = addr.port },
      (request) => {
        const status = Number(new URL(request.url).pathname.slice(1));
        if (status === 0) return hanging.promise;
        return new Response(null, { status, headers: { location: "/500" } });
      },
    );
    const base = `http://127.0.0.1:${port}`;
    for (
      const [status, healthy] of [[200, true], [204, true], [302, true], [404, false], [503, false]] as const
    ) {
      assertStrictEquals(await probeHttp(`${base}/${status}`, 30_000), healthy, `${status}`);
    }
    assertStrictEquals(await probeHttp(`${base}/0`, 20), false);
    hanging.resolve(new Response());
    await server.shutdown();
    assertStrictEquals(await probeHttp(`${base}/200`, 30_000), false, "nobody listens");
  });
});
