/**
 * Socket addresses as the kernel lays them out.
 *
 * ```text
 *              0        2        4                  8                  24
 * sockaddr_in  | family | port   | IPv4 address     | (zeros to 16)
 * sockaddr_in6 | family | port   | flow information | IPv6 address     | scope id |   28 bytes
 * sockaddr_un  | family | path, ended by a zero byte ...                              up to 110 bytes
 * ```
 * family: u16 in host order (little endian on every machine Deno runs on); port: u16, big endian.
 */

/** An internet address (a literal, not a name) or the path of a Unix socket. */
export type SocketAddress =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
/** Bytes that hold any of the addresses above. */
export const SOCKET_ADDRESS_BYTES_MAX = 128;
/** Longest path of a Unix socket in bytes. */
export const UNIX_PATH_BYTES_MAX = 107;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Writes `address` to `out`; returns its length.
 *
 * @throws {TypeError} when it is not an address
 */
export function encodeSocketAddress(address: SocketAddress, out: Uint8Array): number {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  if ("path" in address) {
    const path = encoder.encode(address.path);
    if (path.byteLength === 0 || path.byteLength > UNIX_PATH_BYTES_MAX || path.includes(0)) {
      throw new TypeError(
        `Unix socket path "${address.path}": ${path.byteLength} bytes, expected 1 to ${UNIX_PATH_BYTES_MAX}`,
      );
    }
    view.setUint16(0, AF_UNIX, true);
    out.set(path, 2);
    out[2 + path.byteLength] = 0;
    return 3 + path.byteLength;
  }
  const { hostname, port } = address;
  if (!(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new TypeError(`port ${port}: expected an integer from 0 to 65535`);
  }
  const ip = parseIp(hostname);
  if (ip === undefined) throw new TypeError(`address "${hostname}": expected an IPv4 or IPv6 address`);
  view.setUint16(2, port, false);
  if (ip.byteLength === 4) {
    view.setUint16(0, AF_INET, true);
    out.set(ip, 4);
    out.fill(0, 8, 16);
    return 16;
  }
  view.setUint16(0, AF_INET6, true);
  view.setUint32(4, 0);
  out.set(ip, 8);
  view.setUint32(24, 0);
  return 28;
}

/** Reads an address the kernel wrote; an unnamed Unix socket has the path `""`. */
export function decodeSocketAddress(bytes: Uint8Array): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (bytes.byteLength < 2 ? 0 : view.getUint16(0, true)) {
    case AF_INET:
      return { hostname: formatIp(bytes.subarray(4, 8)), port: view.getUint16(2, false) };
    case AF_INET6:
      return { hostname: formatIp(bytes.subarray(8, 24)), port: view.getUint16(2, false) };
    case AF_UNIX: {
      const path = bytes.subarray(2);
      const end = path.indexOf(0);
      return { path: decoder.decode(end < 0 ? path : path.subarray(0, end)) };
    }
    default:
      return { path: "" };
  }
}

/** The 4 or 16 bytes of an IP literal (brackets around IPv6 allowed), `undefined` when it is not one. */
export function parseIp(text: string): Uint8Array | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  return bare.includes(":") ? parseIpv6(bare) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  // An IPv4 literal may stand only at the very end.
  const [head, tail] = [groupsOf(halves[0], halves.length === 1), groupsOf(halves[1] ?? "", true)];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  head.forEach((group, index) => view.setUint16(2 * index, group));
  tail.forEach((group, index) => view.setUint16(16 - 2 * (tail.length - index), group));
  return bytes;
}

/** The 16-bit groups of one side of `::`; where `endsAddress`, the last may be an IPv4 literal, which makes two. */
function groupsOf(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(parseInt(part, 16));
      continue;
    }
    const ipv4 = endsAddress && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push(ipv4[0] << 8 | ipv4[1], ipv4[2] << 8 | ipv4[3]);
  }
  return groups;
}

/** The canonical text of an address (RFC 5952 for IPv6). */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.byteLength === 4) return bytes.join(".");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(2 * index));
  // RFC 5952, 5: an IPv4-mapped IPv6 address shows its IPv4 address.
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  }
  const [start, length] = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: number[]): [start: number, length: number] {
  let [bestStart, bestLength] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > bestLength) [bestStart, bestLength] = [start, end - start];
    if (end > start) start = end;
  }
  return [bestStart, bestLength];
}
