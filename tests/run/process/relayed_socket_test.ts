import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { RelayedSocket, type RelayTarget } from "../../../src/run/process/relayed_socket.ts";
import { type ProcessHarness, processTest } from "../../support/process_harness.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
const TAKEN = new Uint8Array([6]);

/** An instance that takes what it is offered when the test says so. */
class Target implements RelayTarget {
  readonly offers: { readonly preface: string; readonly conn: Deno.UnixConn }[] = [];
  readonly #directory: string;
  readonly #listener: Deno.UnixListener;

  constructor(t: ProcessHarness, name: string) {
    this.#directory = `${t.directory}/${name}`;
    this.#listener = Deno.listen({ transport: "unix", path: `${this.#directory}-http.0` });
    this.#accept();
  }

  relayPath(name: string): string {
    return `${this.#directory}-${name}`;
  }

  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.offers.push({ preface: await readText(conn), conn });
  }
}

async function readText(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1024);
  const count = await conn.read(buffer);
  return count === null ? "" : new TextDecoder().decode(buffer.subarray(0, count));
}

async function connect(relay: RelayedSocket): Promise<Deno.TcpConn> {
  assert("port" in relay.address);
  return await Deno.connect(relay.address);
}

const write = (conn: Deno.Conn, text: string) => conn.write(new TextEncoder().encode(text));

processTest("RelayedSocket passes a connection on, in both directions and to both ends", async (t) => {
  const relay = new RelayedSocket("http", LOOPBACK, 16);
  const target = new Target(t, "a");
  relay.route(target);
  const client = await connect(relay);
  await write(client, "ping");
  await t.until(() => target.offers.length === 1);
  const [{ preface, conn }] = target.offers;
  const { hostname, port } = client.localAddr as Deno.NetAddr;
  assertStrictEquals(
    preface,
    `${JSON.stringify({ hostname, port })}\n`,
    "nothing of the client before it is taken",
  );
  await conn.write(TAKEN);
  assertStrictEquals(await readText(conn), "ping");
  await write(conn, "pong");
  assertStrictEquals(await readText(client), "pong");
  await client.closeWrite();
  assertStrictEquals(await readText(conn), "");
  await write(conn, "bye");
  assertStrictEquals(await readText(client), "bye");
  conn.close();
  assertStrictEquals(await readText(client), "");
  client.close();
  relay.close();
  target.close();
});

processTest("RelayedSocket offers a connection to another instance when one does not take it", async (t) => {
  const relay = new RelayedSocket("http", LOOPBACK, 16);
  const [stopping, hanging, gone] = ["stopping", "hanging", "gone"].map((name) => new Target(t, name));
  gone.close();
  for (const target of [stopping, hanging, gone]) relay.route(target);
  const client = await connect(relay);
  await write(client, "ping");
  const refuse = async () => {
    for (const { conn } of stopping.offers.splice(0)) conn.close();
    await null;
    return hanging.offers.length > 0;
  };
  await t.until(refuse);
  const good = new Target(t, "good");
  relay.route(good);
  await t.until(async () => await refuse() && good.offers.length > 0);
  await good.offers[0].conn.write(TAKEN);
  assertStrictEquals(
    await readText(good.offers[0].conn),
    "ping",
    "all of it, although others were offered it before",
  );
  for (const { conn } of [...hanging.offers, ...good.offers]) conn.close();
  client.close();
  relay.close();
  for (const target of [stopping, hanging, good]) target.close();
});

processTest("RelayedSocket has connections wait while there is no instance", async (t) => {
  const relay = new RelayedSocket("http", LOOPBACK, 16);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(relay)));
  await Promise.all(clients.map((client, index) => write(client, `${index}`)));
  const target = new Target(t, "late");
  relay.route(target);
  await t.until(() => target.offers.length === clients.length);
  const texts = await Promise.all(target.offers.map(async ({ conn }) => {
    await conn.write(TAKEN);
    return await readText(conn);
  }));
  assertEquals(texts.map(Number).sort((a, b) => a - b), clients.map((_, index) => index));
  relay.unroute(target);
  const waiting = await connect(relay);
  relay.close();
  assertStrictEquals(await readText(waiting).catch(() => ""), "");
  for (const conn of [waiting, ...clients, ...target.offers.map(({ conn }) => conn)]) conn.close();
  target.close();
});

processTest(
  "RelayedSocket loses no connection that is taken in the moment in which that has taken too long",
  async (t) => {
    const relay = new RelayedSocket("http", LOOPBACK, 16);
    const target = new Target(t, "a");
    relay.route(target);
    const client = await connect(relay);
    await write(client, "ping");
    await t.until(() => target.offers.length === 1);
    await target.offers[0].conn.write(TAKEN);
    // This process gets round to neither: then the answer and the end of its time are there at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    let taken = 1;
    await t.until(async () => {
      for (; taken < target.offers.length; taken++) await target.offers[taken].conn.write(TAKEN);
      const texts = await Promise.all(
        target.offers.splice(0).map(({ conn }) => readText(conn).finally(() => conn.close())),
      );
      taken = 0;
      return texts.includes("ping");
    });
    client.close();
    relay.close();
    target.close();
  },
);
