import { assertEquals, assertStrictEquals } from "@std/assert";
import { driverSuffix, REAL_DRIVERS } from "../../support/net_harness.ts";
import { runProgram, startProgram } from "../../support/net_child.ts";

/** A program that has a listener and a connection on `driver`, then runs `body`, and says when its module has ended. */
function program(driver: string, body: string): string {
  return `
    import { connect, listen, listenDatagram } from "@millrace/millrace/net";
    import { Reactor } from "@millrace/millrace/reactor";
    const reactor = Reactor.open({ driver: "${driver}" });
    const listener = listen({ port: 0, hostname: "127.0.0.1", reactor });
    const [client, server] = await Promise.all([
      connect({ port: listener.addr.port, reactor }),
      listener.accept(),
    ]);
    ${body}
    console.log("body done");
  `;
}

/** What lets a process end by itself, on either driver. */
const ENDING: Record<string, string> = {
  "a Listener that nobody waits on": "client.close(); server.close();",
  "connections that nobody has read from": "listener.close();",
  "connections and a listener that are closed": `
    client.read(new Uint8Array(1)).catch(() => {});
    listener.accept().catch(() => {});
    client.close(); server.close(); listener.close();
  `,
  "Listener.unref() before accept()": `
    client.close(); server.close();
    listener.unref();
    listener.accept();
  `,
  "Listener.unref() during accept()": `
    client.close(); server.close();
    listener.accept();
    listener.unref();
  `,
  "TcpConn.unref() before read()": `
    listener.close();
    client.unref(); server.unref();
    client.read(new Uint8Array(1));
    server.read(new Uint8Array(1));
  `,
  "TcpConn.unref() during read()": `
    listener.close();
    client.read(new Uint8Array(1));
    server.read(new Uint8Array(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.unref(); server.unref();
  `,
  "Reactor.close() with everything under way": `
    listener.accept().catch(() => {});
    client.read(new Uint8Array(1)).catch(() => {});
    client.write(new Uint8Array(64 << 20)).catch(() => {});
    const socket = await listenDatagram({ port: 0, reactor });
    socket.receive().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    reactor.close();
  `,
};

/** What keeps a process alive, on either driver. */
const STAYING: Record<string, string> = {
  "a TcpConn that reads": `listener.close(); client.read(new Uint8Array(1));`,
  "a TcpConn that reads, after unref() and ref()": `
    listener.close();
    client.unref();
    client.read(new Uint8Array(1));
    client.ref();
  `,
  "a Listener that accepts": `client.close(); server.close(); listener.accept();`,
  "a Listener that accepts, after unref() and ref()": `
    client.close(); server.close();
    listener.unref();
    listener.accept();
    listener.ref();
  `,
  "a DatagramConn that receives": `
    client.close(); server.close(); listener.close();
    const socket = await listenDatagram({ port: 0, reactor });
    socket.receive();
  `,
};

for (const driver of REAL_DRIVERS) {
  for (const [what, body] of Object.entries(ENDING)) {
    Deno.test({
      name: `a process ends with ${what} ${driverSuffix(driver)}`,
      ignore: driver.skipReason !== undefined,
      async fn() {
        const outcome = await runProgram(program(driver.name, body));
        assertEquals(outcome, { code: 0, signal: null, stdout: "body done\n", stderr: "" });
      },
    });
  }

  for (const [what, body] of Object.entries(STAYING)) {
    Deno.test({
      name: `a process stays for ${what} ${driverSuffix(driver)}`,
      ignore: driver.skipReason !== undefined,
      async fn() {
        await using child = await startProgram(program(driver.name, body));
        await child.says(/body done/);
        const stayed = await Promise.race([
          child.ended().then(() => false),
          new Promise((resolve) => setTimeout(() => resolve(true), 300)),
        ]);
        assertStrictEquals(stayed, true);
        child.kill("SIGKILL");
        assertStrictEquals((await child.ended()).signal, "SIGKILL");
      },
    });
  }
}
