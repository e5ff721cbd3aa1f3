/** Host and port of an internet address. */
export interface HostAndPort {
  /** An address or a name; IPv6 without brackets. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
}

/**
 * `host:port`, with brackets around IPv6.
 *
 * ```ts
 * import { formatAddress } from "@millrace/millrace/net";
 *
 * console.log(formatAddress({ hostname: "::1", port: 8080 })); // [::1]:8080
 * ```
 */
export function formatAddress(address: HostAndPort): string {
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
