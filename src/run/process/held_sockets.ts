import { closeDescriptor, listeningSocket, localAddress, resolveNow } from "../../../ffi/mod.ts";
import type { Address } from "../../io/reactor/mod.ts";
import type { GuardedSocket } from "./guard.ts";
import { RelayedSocket, type RelayTarget } from "./relayed_socket.ts";
import type { ResolvedListen } from "./read_specs.ts";
import { guardedSocket, removeLeftOver, removeSockets } from "./socket_files.ts";

/** A listening socket that a supervisor holds. */
export interface HeldSocket {
  /** What `inherit` calls it. */
  readonly name: string;
  /** Where it listens, with the port that the system chose. */
  readonly address: Address;
}

/** The listening sockets of one process, which stay open from one instance to the next. */
export interface HeldSockets {
  /** All of them, in the order of the specification. */
  readonly sockets: readonly HeldSocket[];
  /** Their descriptors, where they are handed down; none where connections are passed on. */
  readonly descriptors: readonly number[];
  /** Files of sockets, for the guard, which survives this process. */
  readonly files: readonly GuardedSocket[];
  /** Passes connections on to `target` from now on, where they are. */
  route(target: RelayTarget): void;
  /** Passes none on to it any more. */
  unroute(target: RelayTarget): void;
  /** Stops listening. */
  close(): void;
}

/**
 * Listens for `process`.
 *
 * @throws {Deno.errors.AddrInUse} (as a rejection) and others, with the process and the address
 */
export async function holdSockets(
  process: string,
  listen: readonly ResolvedListen[],
  handsDown: boolean,
): Promise<HeldSockets> {
  const held = handsDown ? new DescriptorSockets() : new RelayedSockets();
  try {
    for (const one of listen) {
      if ("path" in one.address) await removeLeftOver(one.address.path);
      held.listen(one);
      if ("path" in one.address) held.files.push(await guardedSocket(one.address.path));
    }
    return held;
  } catch (error) {
    held.close();
    if (error instanceof Error) error.message = `start ${process}: ${error.message}`;
    throw error;
  }
}

/** Sockets whose descriptors every instance gets. */
class DescriptorSockets implements HeldSockets {
  readonly sockets: HeldSocket[] = [];
  readonly descriptors: number[] = [];
  readonly files: GuardedSocket[] = [];

  listen({ name, address, backlog }: ResolvedListen): void {
    const exact = "path" in address ? address : { ...address, hostname: resolveNow(address.hostname)[0] };
    const fd = listeningSocket(exact, { backlog, reusePort: false });
    this.descriptors.push(fd);
    this.sockets.push({ name, address: localAddress(fd) });
  }

  route(): void {}

  unroute(): void {}

  close(): void {
    for (const fd of this.descriptors.splice(0)) closeDescriptor(fd);
    removeSockets(this.files);
  }
}

/** Sockets whose connections are passed on, one instance after the other. */
class RelayedSockets implements HeldSockets {
  readonly sockets: HeldSocket[] = [];
  readonly descriptors: readonly number[] = [];
  readonly files: GuardedSocket[] = [];
  readonly #relays: RelayedSocket[] = [];

  listen({ name, address, backlog }: ResolvedListen): void {
    const relay = new RelayedSocket(name, address, backlog);
    this.#relays.push(relay);
    this.sockets.push({ name, address: relay.address });
  }

  route(target: RelayTarget): void {
    for (const relay of this.#relays) relay.route(target);
  }

  unroute(target: RelayTarget): void {
    for (const relay of this.#relays) relay.unroute(target);
  }

  close(): void {
    for (const relay of this.#relays) relay.close();
    removeSockets(this.files);
  }
}
