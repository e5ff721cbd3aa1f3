import { nativeStatus } from "../../../ffi/mod.ts";
import { SharedMemory } from "../../ipc/memory/mod.ts";
import type { ChannelTransport } from "./channel_transport.ts";
import { CHANNEL_REGION_PREFIX, RingTransport } from "./ring_transport.ts";
import { SocketTransport, writeAll } from "./socket_transport.ts";

/** Bytes of a line of a handshake at most. */
const LINE_BYTES_MAX = 4096;
/** Milliseconds that the other side may take for its part of it. */
export const HANDSHAKE_MS_MAX = 10_000;

/** Who is at the other end of a channel. */
export interface ChannelPeer {
  /** The name of its specification, as its supervisor has it; `undefined` when it has none. */
  readonly name: string | undefined;
  /** Which instance of it, from 0. */
  readonly instance: number;
  /** Its process. */
  readonly pid: number;
}

/** What a worker says first. */
interface Hello extends ChannelPeer {
  readonly token: string;
  readonly shares: boolean;
}

/**
 * The transport to the worker at the other end of `conn`, from the side of the process that has started it; `undefined` when it has not the token.
 *
 * @throws {Error} (as a rejection) when it does not say what it should
 */
export async function welcome(
  conn: Deno.Conn,
  token: string,
): Promise<{ peer: ChannelPeer; transport: ChannelTransport } | undefined> {
  const lines = new LineReader(conn);
  const hello = await lines.next() as Partial<Hello>;
  const { name, instance, pid } = hello;
  if (hello.token !== token || !isWhole(instance) || !isWhole(pid)) return undefined;
  const peer = { name: typeof name === "string" ? name : undefined, instance, pid };
  const made = hello.shares === true ? createShared() : undefined;
  try {
    await sendLine(conn, { region: made?.name ?? null });
    if (made !== undefined) {
      const { opened } = await lines.next() as { opened?: boolean };
      if (opened === true) {
        return { peer, transport: new RingTransport(made.region, "maker", conn) };
      }
    }
  } catch (error) {
    made?.region.close();
    throw error;
  } finally {
    // Both sides have it open.
    if (made !== undefined) SharedMemory.unlink(made.name);
  }
  made?.region.close();
  return { peer, transport: new SocketTransport(conn, lines.rest) };
}

/** The transport to the process that has started this one, over a connection to it. */
export async function introduce(
  conn: Deno.Conn,
  token: string,
  self: ChannelPeer,
): Promise<ChannelTransport> {
  const lines = new LineReader(conn);
  await sendLine(conn, { ...self, token, shares: nativeStatus().available });
  const { region: name } = await lines.next() as { region?: unknown };
  if (typeof name !== "string" || !name.startsWith(CHANNEL_REGION_PREFIX)) {
    return new SocketTransport(conn, lines.rest);
  }
  let region: SharedMemory;
  try {
    region = SharedMemory.connect(name);
  } catch {
    // In a container of its own, say.
    await sendLine(conn, { opened: false });
    return new SocketTransport(conn, lines.rest);
  }
  await sendLine(conn, { opened: true });
  return new RingTransport(region, "opener", conn);
}

/** `undefined` where there is no memory to share. */
function createShared(): ReturnType<typeof RingTransport.create> | undefined {
  if (!nativeStatus().available) return undefined;
  try {
    return RingTransport.create();
  } catch {
    // `/dev/shm` is full, or is none.
    return undefined;
  }
}

async function sendLine(conn: Deno.Conn, value: unknown): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

/** Lines of JSON from a connection. */
class LineReader {
  /** What was read and is behind the last line. */
  rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** @throws {Error} (as a rejection) when none comes within {@linkcode HANDSHAKE_MS_MAX}, or it is too long, or no JSON */
  async next(): Promise<object> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`channel: no answer within ${HANDSHAKE_MS_MAX} ms`)),
        HANDSHAKE_MS_MAX,
      );
    });
    try {
      const line = await Promise.race([this.#line(), limit]);
      const value: unknown = JSON.parse(line);
      if (typeof value === "object" && value !== null) return value;
      throw new Error("channel: the other side says something else than was expected");
    } finally {
      clearTimeout(timer);
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.rest.indexOf(10);
      if (end >= 0) {
        const line = new TextDecoder().decode(this.rest.subarray(0, end));
        this.rest = this.rest.slice(end + 1);
        return line;
      }
      if (this.rest.length > LINE_BYTES_MAX) throw new Error("channel: the first line is too long");
      const buffer = new Uint8Array(LINE_BYTES_MAX);
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error("channel: the other side has gone");
      const joined = new Uint8Array(this.rest.length + count);
      joined.set(this.rest);
      joined.set(buffer.subarray(0, count), this.rest.length);
      this.rest = joined;
    }
  }
}
