import {
  describeSocketAddress,
  formatIp,
  parseIp,
  systemError,
  UNIX_PATH_BYTES_MAX,
} from "../../../../ffi/mod.ts";
import type { Address, IpAddress } from "../driver.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LinkOptions } from "./pipe.ts";
import { Scheduler } from "./scheduler.ts";

const EADDRINUSE = 98;
const EADDRNOTAVAIL = 99;
/** Ports for callers that ask for port 0. */
const EPHEMERAL_PORT_MIN = 49_152;
const PORT_MAX = 65_535;
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Something bound to an address. */
export interface Bound {
  readonly address: Address;
  /** Others may bind the same address when all of them set this. */
  readonly reusePort: boolean;
}

/** A listener, as clients see it. */
export interface ListeningPort extends Bound {
  /** Whether one more connection may wait to be accepted. */
  readonly hasRoom: boolean;
  /** Takes the server's side of a new connection. */
  offer(endpoint: Endpoint): void;
  /** Calls back once when there is room, or when the listener is gone. */
  whenRoom(callback: () => void): void;
}

/** A datagram socket, as senders see it. */
export interface DatagramPort extends Bound {
  arrive(bytes: Uint8Array<ArrayBuffer>, from: IpAddress): void;
}

/** Settings of the simulated network that concern datagrams and connections alike. */
export interface WorldOptions extends LinkOptions {
  readonly seed: number;
}

/** What all drivers on one simulated network share: time, chance, addresses. */
export class World {
  readonly seed: number;
  readonly link: LinkOptions;
  readonly scheduler: Scheduler;
  readonly #hosts = new Map<string, readonly string[]>([["localhost", ["127.0.0.1", "::1"]]]);
  readonly #addresses = new Set<string>();
  readonly #listeners = new Set<ListeningPort>();
  readonly #datagramPorts = new Set<DatagramPort>();
  #nextPort = EPHEMERAL_PORT_MIN;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.link = options;
    this.scheduler = new Scheduler(options.seed);
  }

  /** Registers a host name; its addresses can be bound from then on. */
  addHost(name: string, hostnames: readonly string[]): void {
    const addresses = hostnames.map(canonical);
    this.#hosts.set(name.toLowerCase(), addresses);
    for (const address of addresses) this.#addresses.add(address);
  }

  /**
   * The addresses of a name; a literal is its own.
   *
   * @throws {Deno.errors.NotFound}
   */
  resolve(hostname: string): readonly string[] {
    if (parseIp(hostname) !== undefined) return [canonical(hostname)];
    const found = this.#hosts.get(hostname.toLowerCase());
    if (found !== undefined) return found;
    const error = new Deno.errors.NotFound(`resolve ${hostname}: no such host name (ENOTFOUND)`);
    throw Object.assign(error, { operation: "resolve", code: "ENOTFOUND" });
  }

  /** The address of a new listener or datagram socket that requests `wanted`; -errno when it cannot be bound. */
  choose(wanted: Address, reusePort: boolean, kind: "stream" | "datagram"): Address | number {
    const bound = kind === "stream" ? this.#listeners : this.#datagramPorts;
    if ("path" in wanted) {
      return [...bound].some((other) => overlap(other.address, wanted)) ? -EADDRINUSE : wanted;
    }
    if (!this.#isLocal(wanted.hostname)) return -EADDRNOTAVAIL;
    const address = wanted.port === 0 ? { ...wanted, port: this.#freePort() } : wanted;
    const rivals = [...bound].filter((other) => overlap(other.address, address));
    const shared = reusePort && rivals.every((other) => other.reusePort);
    return rivals.length > 0 && !shared ? -EADDRINUSE : address;
  }

  addListener(listener: ListeningPort): void {
    this.#listeners.add(listener);
  }

  removeListener(listener: ListeningPort): void {
    this.#listeners.delete(listener);
  }

  addDatagramPort(port: DatagramPort): void {
    this.#datagramPorts.add(port);
  }

  removeDatagramPort(port: DatagramPort): void {
    this.#datagramPorts.delete(port);
  }

  /** The listener at an address: of several, any. */
  listenerAt(address: Address): ListeningPort | undefined {
    return this.#pick([...this.#listeners].filter((port) => overlap(port.address, address)));
  }

  /** The datagram socket at an address: of several, any. */
  datagramPortAt(address: IpAddress): DatagramPort | undefined {
    return this.#pick([...this.#datagramPorts].filter((port) => overlap(port.address, address)));
  }

  /** The local address of a client that connects to `remote`. */
  clientAddress(remote: Address): Address {
    if ("path" in remote) return { path: "" };
    const hostname = WILDCARDS.has(remote.hostname)
      ? (remote.hostname === "::" ? "::1" : "127.0.0.1")
      : remote.hostname;
    return { hostname, port: this.#freePort() };
  }

  #pick<T>(candidates: readonly T[]): T | undefined {
    return candidates.length > 1 ? candidates[this.scheduler.random.below(candidates.length)] : candidates[0];
  }

  #isLocal(hostname: string): boolean {
    return WILDCARDS.has(hostname) || hostname === "::1" || hostname.startsWith("127.") ||
      this.#addresses.has(hostname);
  }

  #freePort(): number {
    const taken = new Set<number>();
    for (const { address } of [...this.#listeners, ...this.#datagramPorts]) {
      if (!("path" in address)) taken.add(address.port);
    }
    for (let tries = EPHEMERAL_PORT_MIN; tries <= PORT_MAX; tries++) {
      this.#nextPort = this.#nextPort === PORT_MAX ? EPHEMERAL_PORT_MIN : this.#nextPort + 1;
      if (!taken.has(this.#nextPort)) return this.#nextPort;
    }
    throw systemError("bind", EADDRINUSE, "any port");
  }
}

/** The one spelling of an IP literal. */
export function canonical(hostname: string): string {
  const ip = parseIp(hostname);
  return ip === undefined ? hostname : formatIp(ip);
}

/**
 * Refuses an invalid address, as the real drivers do.
 *
 * @throws {TypeError}
 */
export function checkAddress(address: Address): void {
  if ("path" in address) {
    const byteLength = new TextEncoder().encode(address.path).byteLength;
    if (byteLength === 0 || byteLength > UNIX_PATH_BYTES_MAX || address.path.includes("\0")) {
      throw new TypeError(
        `Unix socket path "${address.path}": ${byteLength} bytes, expected 1 to ${UNIX_PATH_BYTES_MAX}`,
      );
    }
  } else if (!(Number.isInteger(address.port) && address.port >= 0 && address.port <= PORT_MAX)) {
    throw new TypeError(`port ${address.port}: expected an integer from 0 to ${PORT_MAX}`);
  }
}

/** The error of a bind that {@linkcode World.choose} refused. */
export function bindError(number: number, address: Address): Error {
  return systemError("bind", -number, describeSocketAddress(address));
}

/** Whether a socket bound to `bound` receives what goes to `other`, or conflicts with it. */
function overlap(bound: Address, other: Address): boolean {
  if ("path" in bound || "path" in other) {
    return "path" in bound && "path" in other && bound.path === other.path;
  }
  if (bound.port !== other.port) return false;
  return bound.hostname === other.hostname || bound.hostname === "::" || other.hostname === "::" ||
    wildcardCovers(bound.hostname, other.hostname) || wildcardCovers(other.hostname, bound.hostname);
}

/** `0.0.0.0` stands for every IPv4 address; `::` for every address, as Linux has it. */
function wildcardCovers(wildcard: string, hostname: string): boolean {
  return wildcard === "0.0.0.0" && !hostname.includes(":");
}
