import { assertEquals, assertStrictEquals } from "@std/assert";
import type { HttpServer } from "../../../src/io/http/mod.ts";
import {
  connect,
  type DatagramConn,
  listen,
  listenDatagram,
  type Listener,
  type StreamConn,
  type TcpConn,
  type TcpListener,
  type UnixConn,
  type UnixListener,
} from "../../../src/io/net/mod.ts";
import { Reactor } from "../../../src/io/reactor/mod.ts";

/** `true` when `T` can stand where `Target` is asked for; `any`, which can everywhere, is none of our types. */
type Assignable<T, Target> = 0 extends 1 & T ? false : [T] extends [Target] ? true : false;
type Same<A, B> = [A, B] extends [B, A] ? true : false;

/** Fails the type check unless every entry is `true`. */
type AllTrue<T extends Record<string, true>> = T;

export type Checks = AllTrue<{
  tcpConn: Assignable<TcpConn, Deno.TcpConn>;
  tcpConnAsConn: Assignable<TcpConn, Deno.Conn<Deno.NetAddr>>;
  unixConn: Assignable<UnixConn, Deno.UnixConn>;
  streamConn: Assignable<StreamConn, Deno.Conn>;
  listener: Assignable<Listener<TcpConn, Deno.NetAddr>, Deno.Listener>;
  tcpListener: Assignable<TcpListener, Deno.TcpListener>;
  tcpListenerOfOurs: Assignable<TcpListener, Deno.Listener<TcpConn, Deno.NetAddr>>;
  unixListener: Assignable<UnixListener, Deno.UnixListener>;
  datagramConn: Assignable<DatagramConn, Deno.DatagramConn>;
  httpServer: Assignable<HttpServer, Deno.HttpServer<Deno.NetAddr>>;
  httpServerOverUnix: Assignable<HttpServer<Deno.UnixAddr>, Deno.HttpServer<Deno.UnixAddr>>;
  disposable: Assignable<TcpConn & UnixConn & TcpListener & DatagramConn, Disposable>;
  asyncDisposable: Assignable<HttpServer, AsyncDisposable>;
  accepted: Same<Awaited<ReturnType<TcpListener["accept"]>>, TcpConn>;
  localAddr: Same<TcpConn["localAddr"], Deno.NetAddr>;
  unixAddr: Same<UnixConn["remoteAddr"], Deno.UnixAddr>;
}>;

/** Code that was written for Deno's types. */
async function talk(listener: Deno.Listener, connection: Promise<Deno.Conn>): Promise<number> {
  using accepted = await listener.accept();
  using client = await connection;
  await client.write(new Uint8Array([1, 2, 3]));
  return await accepted.read(new Uint8Array(8)) ?? 0;
}

Deno.test("Listener and TcpConn serve code that was written for Deno's types", async () => {
  using reactor = Reactor.open({ driver: "deno" });
  using listener = listen({ port: 0, hostname: "127.0.0.1", reactor });
  assertStrictEquals(await talk(listener, connect({ port: listener.addr.port, reactor })), 3);
});

Deno.test("DatagramConn serves code that was written for Deno's type", async () => {
  using reactor = Reactor.open({ driver: "deno" });
  const conn: Deno.DatagramConn = await listenDatagram({ port: 0, reactor });
  await conn.send(new Uint8Array([1]), conn.addr);
  for await (const [bytes, from] of conn) {
    assertEquals(bytes, new Uint8Array([1]));
    assertEquals(from, conn.addr);
    break;
  }
  conn.close();
});
