import type { HostAndPort } from "../../base/mod.ts";

/**
 * Reads `"host:port"`, `"[ipv6]:port"` or `":port"` (every address of this machine).
 *
 * ```ts
 * import { parseAddress } from "@millrace/millrace/net";
 *
 * console.log(parseAddress("[::1]:8080")); // { hostname: "::1", port: 8080 }
 * ```
 *
 * @throws {TypeError} when `text` is none of these or the port is not one of 0 to 65535
 */
export function parseAddress(text: string): HostAndPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new TypeError(
      `address "${text}": expected host:port with a port from 0 to 65535, e.g. 127.0.0.1:8080`,
    );
  }
  const hostname = match[1] ?? match[2];
  return { hostname: hostname === "" ? "0.0.0.0" : hostname, port };
}
