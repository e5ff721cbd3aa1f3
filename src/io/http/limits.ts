/** Bounds of a server, each with a default that suits a server open to the internet. */
export interface HttpLimits {
  /**
   * Bytes of a request line and its header fields, at most 1 MiB; more: 431.
   *
   * @default {16384}
   */
  headerBytesMax?: number;
  /**
   * Bytes of a request target; more: 414.
   *
   * @default {8192}
   */
  targetBytesMax?: number;
  /**
   * Bytes of a request body; more: 413.
   *
   * @default {67108864} 64 MiB
   */
  bodyBytesMax?: number;
  /**
   * Bytes of a body its handler did not read that are read and dropped to keep the connection.
   *
   * @default {262144}
   */
  discardBytesMax?: number;
  /**
   * Connections at once; more wait in the system's backlog.
   *
   * @default {16384}
   */
  connectionsMax?: number;
  /**
   * Time from the first byte of a head to its last; more: 408.
   *
   * @default {10000}
   */
  headerTimeoutMs?: number;
  /**
   * Time from a head to the end of its body; more: 408.
   *
   * @default {300000}
   */
  bodyTimeoutMs?: number;
  /**
   * Time a connection may be open without a request; then it is closed without a response.
   *
   * @default {75000}
   */
  idleTimeoutMs?: number;
  /**
   * Time in which the client receives nothing of a response; then the connection is closed.
   *
   * @default {30000}
   */
  writeTimeoutMs?: number;
  /**
   * Time that requests in flight get when the server stops; then they are aborted.
   *
   * @default {10000}
   */
  shutdownTimeoutMs?: number;
}

/** Defaults of {@linkcode HttpLimits}. */
export const HTTP_LIMITS: Readonly<Required<HttpLimits>> = {
  headerBytesMax: 16_384,
  targetBytesMax: 8192,
  bodyBytesMax: 64 * 1024 * 1024,
  discardBytesMax: 256 * 1024,
  connectionsMax: 16_384,
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 300_000,
  idleTimeoutMs: 75_000,
  writeTimeoutMs: 30_000,
  shutdownTimeoutMs: 10_000,
};

/** The largest `headerBytesMax`: heads are addressed with 32-bit words and kept in one piece. */
const HEADER_BYTES_CEILING = 1024 * 1024;

/**
 * `limits` with the defaults filled in.
 *
 * @throws {RangeError} for a limit that is out of range
 */
export function resolveLimits(limits: HttpLimits): Required<HttpLimits> {
  const resolved = { ...HTTP_LIMITS };
  for (const name of Object.keys(HTTP_LIMITS) as (keyof HttpLimits)[]) {
    const value = limits[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) {
      throw new RangeError(`serve: ${name} is ${value}, expected a number above 0`);
    }
    resolved[name] = value;
  }
  if (resolved.headerBytesMax > HEADER_BYTES_CEILING) {
    throw new RangeError(
      `serve: headerBytesMax is ${resolved.headerBytesMax}, expected at most ${HEADER_BYTES_CEILING}`,
    );
  }
  // The parsers take integers, and a target is part of a head.
  resolved.headerBytesMax = Math.ceil(resolved.headerBytesMax);
  resolved.targetBytesMax = Math.ceil(Math.min(resolved.targetBytesMax, resolved.headerBytesMax));
  return resolved;
}
