import { asSystemError, describeSocketAddress } from "../../../ffi/mod.ts";
import type { Address } from "../../io/reactor/mod.ts";

/** An instance that connections are passed on to. */
export interface RelayTarget {
  /** Beginning of the paths of its Unix sockets for a listening socket of that name. */
  relayPath(name: string): string;
}

/** Connections that wait for an instance at most; further ones wait in the system's backlog. */
const PENDING_MAX = 1024;
/** Milliseconds that an instance has to take a connection; then it is offered to the next. */
const OFFER_MS_MAX = 500;
/** Milliseconds between two looks for an instance that takes a connection. */
const RETRY_MS = 20;
/** Milliseconds that a connection waits for an instance; then it is closed. */
const WAIT_MS_MAX = 30_000;
/** Milliseconds that a client gets to end its side when an instance has ended the other. */
const LINGER_MS = 2000;
const CHUNK_BYTES = 65_536;
const SOCKETS_MAX = 64;

/**
 * A listening socket whose connections are passed on to instances over Unix sockets: what is left where sockets cannot be handed
 * down. Bytes are copied twice, and it is this process that does it.
 *
 * An instance says with a byte that it has taken a connection. Until then nothing of it has been read, so it can be offered to
 * another instance when this one stops meanwhile: no connection is lost.
 */
export class RelayedSocket {
  /** Where it listens. */
  readonly address: Address;
  readonly #name: string;
  readonly #listener: Deno.Listener;
  readonly #targets: RelayTarget[] = [];
  readonly #open = new Set<Deno.Conn>();
  #next = 0;
  #pending = 0;
  #room: (() => void) | undefined;
  #closed = false;

  /** @throws {Deno.errors.AddrInUse} and others */
  constructor(name: string, address: Address, backlog: number) {
    this.#name = name;
    try {
      this.#listener = "path" in address
        ? Deno.listen({ transport: "unix", path: address.path })
        : Deno.listen({ ...address, tcpBacklog: backlog });
    } catch (error) {
      throw asSystemError("bind", error, describeSocketAddress(address));
    }
    const bound = this.#listener.addr;
    this.address = "path" in bound ? { path: String(bound.path) } : toAddress(bound as Deno.NetAddr);
    this.#accept();
  }

  /** Offers connections to `target` from now on. */
  route(target: RelayTarget): void {
    this.#targets.push(target);
  }

  /** Offers it none any more. */
  unroute(target: RelayTarget): void {
    const index = this.#targets.indexOf(target);
    if (index >= 0) this.#targets.splice(index, 1);
  }

  /** Stops listening, and closes what is passed on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const conn of this.#open) closeQuietly(conn);
    this.#open.clear();
    this.#room?.();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      let client: Deno.Conn;
      try {
        client = await this.#listener.accept();
      } catch {
        if (this.#closed) return;
        // Too many open files, for one: they become fewer.
        await delay(RETRY_MS);
        continue;
      }
      this.#open.add(client);
      this.#serve(client);
      if (this.#pending >= PENDING_MAX) await new Promise<void>((resolve) => this.#room = resolve);
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    this.#pending++;
    const upstream = await this.#offer(client);
    this.#pending--;
    this.#room?.();
    this.#room = undefined;
    if (upstream !== undefined) {
      if ("setNoDelay" in client) (client as Deno.TcpConn).setNoDelay();
      const sending = forward(client, upstream);
      await forward(upstream, client);
      // Who has had the last answer and sends no more need not be waited for.
      await Promise.race([sending, delay(LINGER_MS)]);
      this.#discard(upstream);
    }
    this.#discard(client);
  }

  /** A connection to an instance that has taken `client`; `undefined` when none does. */
  async #offer(client: Deno.Conn): Promise<Deno.Conn | undefined> {
    const { remoteAddr } = client;
    const origin = "hostname" in remoteAddr ? { hostname: remoteAddr.hostname, port: remoteAddr.port } : {};
    const preface = new TextEncoder().encode(`${JSON.stringify(origin)}\n`);
    const endMs = performance.now() + WAIT_MS_MAX;
    while (!this.#closed && performance.now() < endMs) {
      for (const path of this.#paths()) {
        const upstream = await this.#tryOffer(path, preface);
        if (upstream !== undefined) return upstream;
        if (this.#closed) return undefined;
      }
      await delay(RETRY_MS);
    }
    return undefined;
  }

  /** The sockets of all instances, beginning with that of the next one in turn. */
  *#paths(): Generator<string> {
    const targets = [...this.#targets];
    this.#next = (this.#next + 1) % Math.max(1, targets.length);
    for (let turn = 0; turn < targets.length; turn++) {
      const base = targets[(this.#next + turn) % targets.length].relayPath(this.#name);
      const paths = listeningPaths(base);
      const first = Math.floor(Math.random() * paths.length);
      for (let index = 0; index < paths.length; index++) yield paths[(first + index) % paths.length];
    }
  }

  async #tryOffer(path: string, preface: Uint8Array): Promise<Deno.Conn | undefined> {
    let upstream: Deno.Conn | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      upstream = await Deno.connect({ transport: "unix", path });
      this.#open.add(upstream);
      const offered = upstream;
      // One that hangs does not answer: closing ends the read.
      timer = setTimeout(() => this.#discard(offered), OFFER_MS_MAX);
      await upstream.write(preface);
      // The answer and the end of its time may have come in one turn: then it is closed already.
      if (await upstream.read(new Uint8Array(1)) === 1 && this.#open.has(upstream)) return upstream;
    } catch {
      // It has stopped, or is about to.
    } finally {
      clearTimeout(timer);
    }
    if (upstream !== undefined) this.#discard(upstream);
    return undefined;
  }

  #discard(conn: Deno.Conn): void {
    if (this.#open.delete(conn)) closeQuietly(conn);
  }
}

/** One socket for each thread of an instance that listens. */
function listeningPaths(base: string): string[] {
  const paths: string[] = [];
  for (let index = 0; index < SOCKETS_MAX; index++) {
    try {
      Deno.lstatSync(`${base}.${index}`);
    } catch {
      break;
    }
    paths.push(`${base}.${index}`);
  }
  return paths;
}

/** Copies until the end, which it passes on; a failure ends both sides. */
async function forward(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
    }
    await to.closeWrite();
  } catch {
    // The other direction learns of it by an end or a failure of its own.
    closeQuietly(from);
    closeQuietly(to);
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

function toAddress({ hostname, port }: Deno.NetAddr): Address {
  return { hostname, port };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
