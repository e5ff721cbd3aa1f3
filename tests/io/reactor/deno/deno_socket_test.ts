import { assert, assertEquals } from "@std/assert";
import { BufferPool } from "../../../../src/io/reactor/mod.ts";
import { addressOf, DenoSocket } from "../../../../src/io/reactor/deno/deno_socket.ts";
import { Peer } from "../../../support/driver_peer.ts";
import { patternBytes } from "../../../support/driver_seed.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 30_000;

Deno.test("DenoSocket's receive buffer grows with what comes, up to 64 KiB", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const pool = new BufferPool({ allocateSlab: (byteLength) => ({ bytes: new Uint8Array(byteLength) }) });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepting = listener.accept();
    const { port } = listener.addr as Deno.NetAddr;
    const writer = await Deno.connect({ hostname: "127.0.0.1", port });
    const peer = new Peer(new DenoSocket({ buffers: pool, open: new Set() }, await accepting), pool);
    const bytes = patternBytes(1, 1 << 20);
    let largest = 0;
    peer.onPiece = (byteLength) => largest = Math.max(largest, byteLength);
    // Everything the connection holds is there before the first read.
    let written = 0;
    const writing = (async () => {
      while (written < bytes.byteLength) written += await writer.write(bytes.subarray(written));
    })();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(await peer.start().receive(bytes.byteLength), bytes);
    await writing;
    assert(largest > 4096 && largest <= 65_536, `${largest} bytes`);
    peer.close();
    writer.close();
    listener.close();
  });
});

Deno.test("addressOf() has an empty path for a socket without a name", () => {
  const unnamed = { transport: "unix", path: null } as unknown as Deno.UnixAddr;
  assertEquals(addressOf(unnamed), { path: "" });
  assertEquals(addressOf({ transport: "unix", path: "/a" }), { path: "/a" });
  assertEquals(addressOf({ transport: "tcp", hostname: "::1", port: 1 }), { hostname: "::1", port: 1 });
});
