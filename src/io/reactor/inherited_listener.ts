import type { Address, Driver, DriverListener, ListenSocketOptions } from "./driver.ts";
import { RelayedListener } from "./relayed_listener.ts";

/** The first descriptor that systemd's protocol hands down; standard input, output and error are before it. */
const FIRST_DESCRIPTOR = 3;
/** Listeners per process at most where its supervisor cannot pass sockets on. */
const RELAYED_LISTENERS_MAX = 64;

/** The variable that says where a process listens for a supervisor that cannot pass sockets on; JSON, by name. */
export const RELAY_VARIABLE = "MILLRACE_LISTEN";

/** A listening socket that the process was started with. */
export type InheritedListener =
  | {
    /** Its descriptor. */
    readonly descriptor: number;
  }
  | {
    /** Prefix of the paths of Unix sockets through which the supervisor passes connections on. */
    readonly relayPath: string;
    /** Where the supervisor listens. */
    readonly address: Address;
  };

/**
 * The listening socket of that name that the process was started with: by a supervisor of `@millrace/millrace/process`, or by
 * any other program that implements systemd's socket activation (`LISTEN_FDS`, sd_listen_fds(3)). `undefined` when there is
 * none, or when the program may not read these variables.
 *
 * ```ts
 * import { inheritedListener } from "@millrace/millrace/reactor";
 *
 * console.log(inheritedListener("http") === undefined); // true: this process has no supervisor
 * ```
 */
export function inheritedListener(name: string): InheritedListener | undefined {
  const relay = relays()[name];
  if (relay !== undefined) return relay;
  const index = activationNames().indexOf(name);
  return index >= 0 ? { descriptor: FIRST_DESCRIPTOR + index } : undefined;
}

/**
 * The socket named `inherit` that the process was started with. Without a name, or when the process was started with no sockets at
 * all, a new one on `address`.
 *
 * @throws {Deno.errors.NotFound} when it was started with sockets, but none of that name
 */
export function openListener(
  driver: Driver,
  inherit: string | undefined,
  address: Address,
  options: ListenSocketOptions,
): DriverListener {
  const inherited = inherit === undefined ? undefined : inheritedListener(inherit);
  if (inherited === undefined) {
    const names = inherit === undefined ? [] : inheritedNames();
    if (names.length === 0) return driver.listen(address, options);
    throw new Deno.errors.NotFound(
      `listen: inherit is "${inherit}", expected one of the sockets that this process was started with: ${
        names.join(", ")
      }`,
    );
  }
  if ("descriptor" in inherited) return driver.adopt(inherited.descriptor, options);
  for (let index = 0;; index++) {
    try {
      const listener = driver.listen({ path: `${inherited.relayPath}.${index}` }, options);
      return new RelayedListener(listener, driver.buffers, inherited.address);
    } catch (error) {
      // Another thread of this process has taken it.
      if (!(error instanceof Deno.errors.AddrInUse) || index + 1 >= RELAYED_LISTENERS_MAX) throw error;
    }
  }
}

function inheritedNames(): string[] {
  return [...Object.keys(relays()), ...activationNames()];
}

/** Names by systemd's protocol, in the order of their descriptors; none when the variables are meant for another process. */
function activationNames(): string[] {
  const count = Number(variable("LISTEN_FDS") ?? 0);
  if (!(count > 0) || variable("LISTEN_PID") !== String(Deno.pid)) return [];
  return (variable("LISTEN_FDNAMES") ?? "unknown").split(":").slice(0, count);
}

function relays(): Record<string, InheritedListener | undefined> {
  const text = variable(RELAY_VARIABLE);
  return text === undefined ? {} : JSON.parse(text);
}

/** A variable, or `undefined` where the program may not read it: this never prompts for permission. */
function variable(name: string): string | undefined {
  const permission = Deno.permissions.querySync({ name: "env", variable: name });
  return permission.state === "granted" ? Deno.env.get(name) : undefined;
}
