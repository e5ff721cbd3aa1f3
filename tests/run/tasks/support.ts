import { nativeStatus } from "../../../ffi/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { type Frame, frameOf, valuesOf } from "../../../src/run/tasks/frames.ts";
import { callOf, kindOf } from "../../../src/run/tasks/frames.ts";
import type { Link } from "../../../src/run/tasks/link.ts";
import { RingLink } from "../../../src/run/tasks/ring_link.ts";
import { SocketLink } from "../../../src/run/tasks/socket_link.ts";

/** The module of tasks, for pools. */
export const TASKS_URL: string = new URL("./tasks.ts", import.meta.url).href;

/** Two ends of a link, in one process. */
export interface LinkPair extends AsyncDisposable {
  readonly one: Link;
  readonly other: Link;
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

async function socketPair(): Promise<LinkPair> {
  const [one, other] = await connections();
  return pair(new SocketLink(one, new Uint8Array(0)), new SocketLink(other, new Uint8Array(0)));
}

async function ringPair(): Promise<LinkPair> {
  const [one, other] = await connections();
  const { name, region } = RingLink.create();
  const opened = SharedMemory.connect(name);
  SharedMemory.unlink(name);
  return pair(new RingLink(region, "maker", one), new RingLink(opened, "opener", other));
}

function pair(one: Link, other: Link): LinkPair {
  return {
    one,
    other,
    async [Symbol.asyncDispose]() {
      await Promise.all([one.close(), other.close()]);
    },
  };
}

/** Kinds of links that this machine has. */
export const LINKS: readonly { readonly kind: string; readonly make: () => Promise<LinkPair> }[] = [
  { kind: "socket", make: socketPair },
  ...(nativeStatus().available ? [{ kind: "ring", make: ringPair }] : []),
];

/** Lets frames come in, and keeps them. */
export class Received {
  readonly frames: Frame[] = [];
  ended = false;
  #wake: (() => void) | undefined;

  constructor(link: Link) {
    link.begin({
      onFrame: (view, at) => {
        this.frames.push({ kind: kindOf(view, at), call: callOf(view, at), values: valuesOf(view, at) });
        this.#wake?.();
      },
      onEnd: () => {
        this.ended = true;
        this.#wake?.();
      },
    });
  }

  /** Resolves when `isSo()`; the watchdog of the test is its bound. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#wake = resolve);
  }
}

/** A frame with one value. */
export function frame(call: number, value: unknown): Frame {
  return frameOf(1, call, [value]);
}
