import { assertEquals, assertStrictEquals } from "@std/assert";
import { Child } from "../support/net_child.ts";
import { REAL_DRIVERS } from "../support/net_harness.ts";

const ROOT = new URL("../../", import.meta.url);

/** What somebody writes who has installed the package: every subsystem by its name, with Deno's own types around it. */
const PROGRAM = `
import { HttpResponse, serve } from "@millrace/millrace/http";
import { connect, listen, listenDatagram, type TcpConn } from "@millrace/millrace/net";
import { defaultReactor } from "@millrace/millrace/reactor";
import { Semaphore } from "@millrace/millrace/sync";
import { sleep, withTimeout } from "@millrace/millrace/timer";
import { startCores } from "@millrace/millrace/cores";
import { SharedMemory } from "@millrace/millrace/memory";
import { SpscRing } from "@millrace/millrace/ring";
import * as everything from "@millrace/millrace";

async function serveOnce(listener: Deno.Listener): Promise<void> {
  using conn = await listener.accept();
  await conn.readable.pipeTo(conn.writable);
}

const listener = listen({ port: 0, hostname: "127.0.0.1" });
const serving = serveOnce(listener);
const client: TcpConn = await connect({ port: listener.addr.port, timeoutMs: 5000 });
await client.write(new TextEncoder().encode("tcp"));
await client.closeWrite();
console.log(await new Response(client.readable).text());
await serving;
client.close();
listener.close();

const receiver = await listenDatagram({ port: 0 });
await receiver.send(new TextEncoder().encode("udp"), receiver.addr);
console.log(new TextDecoder().decode((await receiver.receive())[0]));
receiver.close();

const server: Deno.HttpServer<Deno.NetAddr> = serve({ port: 0, hostname: "127.0.0.1" }, async (request) => {
  await sleep(1);
  return new HttpResponse(request.method);
});
const response = await withTimeout(() => fetch(\`http://127.0.0.1:\${server.addr.port}/\`), 5000);
console.log(await response.text());
await server.shutdown();
using _permit = await new Semaphore(1).acquire();
if (SpscRing.create({ capacityBytes: 64 }).messageBytesMax !== 24) throw new Error("a ring of another size");
if (typeof SharedMemory.create !== "function" || typeof startCores !== "function") throw new Error("names missing");

if (Object.keys(everything).length === 0) throw new Error("the main entry point exports nothing");
console.log(defaultReactor().driver.name);
`;

async function runConsumer(
  permissions: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_consumer_" });
  try {
    const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    const imports = Object.fromEntries(
      Object.entries(exports as Record<string, string>).map(([name, path]) => {
        return ["@millrace/millrace" + name.slice(1), new URL(path, ROOT).href];
      }),
    );
    await Deno.writeTextFile(`${directory}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${directory}/main.ts`, PROGRAM);
    const args = ["run", "--check", "--no-prompt", ...permissions, "main.ts"];
    await using child = new Child(args, { directory, env });
    const { code, signal, stdout, stderr } = await child.ended();
    assertEquals([code, signal], [0, null], stderr);
    return stdout;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a program outside the project uses every subsystem with --allow-net alone, on Deno's own I/O", async () => {
  assertStrictEquals(await runConsumer(["--allow-net"]), "tcp\nudp\nGET\ndeno\n");
});

Deno.test("a program outside the project uses every subsystem on the fastest driver there is", async () => {
  const uring = REAL_DRIVERS.some(({ name, skipReason }) => name === "uring" && skipReason === undefined);
  assertStrictEquals(await runConsumer(["-A"]), `tcp\nudp\nGET\n${uring ? "uring" : "deno"}\n`);
});

Deno.test("a program outside the project works without the native library", async () => {
  const permissions = ["--allow-net", "--allow-read", "--allow-ffi", "--allow-env=MILLRACE_NATIVE"];
  assertStrictEquals(await runConsumer(permissions, { MILLRACE_NATIVE: "off" }), "tcp\nudp\nGET\ndeno\n");
});
