import type { Reactor } from "../reactor/mod.ts";
import type { HttpLimits } from "./limits.ts";

/** Options of `serve()` over TCP. */
export interface ServeOptions<A extends Deno.Addr = Deno.NetAddr> extends HttpLimits {
  /**
   * Port to listen on; 0 takes a free one.
   *
   * @default {8000}
   */
  port?: number;
  /**
   * Address or name to listen on.
   *
   * @default {"0.0.0.0"}
   */
  hostname?: string;
  /**
   * Lets several servers share the port; the kernel spreads connections over them.
   *
   * @default {false}
   */
  reusePort?: boolean;
  /**
   * Connections that may wait to be accepted; the system may allow fewer.
   *
   * @default {1024}
   */
  backlog?: number;
  /**
   * Takes over the listening socket of this name that the process was started with, by a supervisor or by systemd's socket
   * activation. Without one, the address is used: the same program also runs by itself.
   */
  inherit?: string;
  /** Stops the server gracefully when aborted. */
  signal?: AbortSignal;
  /**
   * What to run on.
   *
   * @default {defaultReactor()}
   */
  reactor?: Reactor;
  /** Called once the server listens. */
  onListen?: (address: A) => void;
  /**
   * Makes the response to an error that a handler throws.
   *
   * @default {prints the error and responds with 500}
   */
  onError?: (error: unknown) => Response | Promise<Response>;
}

/** Options of `serve()` over a Unix socket. */
export interface ServeUnixOptions
  extends Omit<ServeOptions<Deno.UnixAddr>, "port" | "hostname" | "reusePort"> {
  /** Selects a Unix socket; may be left out. */
  transport?: "unix";
  /** Path of the socket; must not exist. */
  path: string;
}
