import { nativeStatus } from "../../../ffi/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { FRAME, FrameSender } from "../../../src/base/calls/mod.ts";
import { callOf, FRAME_HEADER_BYTES, kindAndCountOf } from "../../../src/base/calls/frame.ts";
import { FrameParts } from "../../../src/base/calls/frame_parts.ts";
import { portable, ValueReader } from "../../../src/base/value/mod.ts";
import type { ChannelTransport } from "../../../src/run/tasks/channel_transport.ts";
import { RingTransport } from "../../../src/run/tasks/ring_transport.ts";
import { SocketTransport } from "../../../src/run/tasks/socket_transport.ts";

/** The module of tasks, for pools. */
export const TASKS_URL: string = new URL("./tasks.ts", import.meta.url).href;

/** Two ends of a transport, in one process. */
export interface TransportPair extends AsyncDisposable {
  readonly one: ChannelTransport;
  readonly other: ChannelTransport;
}

/** Both ends of a connection. */
export async function connections(): Promise<[Deno.Conn, Deno.Conn]> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_test_" });
  const path = `${directory}/a.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const ends = await Promise.all([Deno.connect({ transport: "unix", path }), listener.accept()]);
  listener.close();
  await Deno.remove(directory, { recursive: true });
  return ends;
}

async function socketPair(): Promise<TransportPair> {
  const [one, other] = await connections();
  return pair(new SocketTransport(one, new Uint8Array(0)), new SocketTransport(other, new Uint8Array(0)));
}

async function ringPair(): Promise<TransportPair> {
  const [one, other] = await connections();
  const { name, region } = RingTransport.create();
  const opened = SharedMemory.connect(name);
  SharedMemory.unlink(name);
  return pair(new RingTransport(region, "maker", one), new RingTransport(opened, "opener", other));
}

function pair(one: ChannelTransport, other: ChannelTransport): TransportPair {
  return {
    one,
    other,
    [Symbol.asyncDispose]() {
      one.close();
      other.close();
      return Promise.resolve();
    },
  };
}

/** Kinds of transports that this machine has. */
export const TRANSPORTS: readonly { readonly kind: string; readonly make: () => Promise<TransportPair> }[] = [
  { kind: "socket", make: socketPair },
  ...(nativeStatus().available ? [{ kind: "ring", make: ringPair }] : []),
];

/** A frame that came in. */
export interface ReceivedFrame {
  readonly kind: number;
  readonly call: number;
  readonly values: readonly unknown[];
}

/** One end of a transport, as a channel has it: sends frames, and keeps those that come in. */
export class FrameEnd {
  readonly transport: ChannelTransport;
  readonly sender: FrameSender;
  readonly frames: ReceivedFrame[] = [];
  ended = false;
  #wake: (() => void) | undefined;
  readonly #parts = new FrameParts();

  constructor(transport: ChannelTransport) {
    this.transport = transport;
    this.sender = new FrameSender(transport, () => {});
  }

  /** Lets frames come in. */
  begin(): this {
    this.transport.begin({
      onMessage: (view, at, byteLength) => this.#take(view, at, byteLength),
      onRoom: () => void this.sender.resume(),
      onEnd: () => {
        this.ended = true;
        this.#wake?.();
      },
    });
    return this;
  }

  /** Sends a message with one value. */
  send(call: number, value: unknown): void {
    this.sender.send(FRAME.message, call, 0, [portable(value)]);
  }

  /** Resolves when `isSo()`; the watchdog of the test is its bound. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  #take(view: DataView, at: number, byteLength: number): void {
    const head = kindAndCountOf(view, at);
    if ((head & 0xffff) === FRAME.part) {
      const frame = this.#parts.take(view, at, byteLength);
      if (frame !== undefined) this.#take(frame, 0, frame.byteLength);
      return;
    }
    const reader = new ValueReader();
    reader.begin(view, at + FRAME_HEADER_BYTES);
    const values = Array.from({ length: head >>> 16 }, () => reader.read());
    this.frames.push({ kind: head & 0xffff, call: callOf(view, at), values });
    this.#wake?.();
  }
}
