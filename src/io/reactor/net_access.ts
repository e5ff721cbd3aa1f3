import { describeSocketAddress } from "../../../ffi/mod.ts";

/** The error of an `operation` on `host`, a name or `address:port`, that Deno's permissions do not allow. */
export function netAccessMissing(operation: string, host: string): Error {
  const error = new Deno.errors.NotCapable(
    `${operation} ${host}: no net access to "${host}" (EPERM), run again with --allow-net`,
  );
  return Object.assign(error, { operation, code: "EPERM" });
}

/**
 * Requests net access the way Deno's own calls do. For Node's APIs, which end the process instead of throwing.
 *
 * @throws {Deno.errors.NotCapable} (as a rejection) when it is not granted
 */
export async function requireNetAccess(operation: string, hostname: string, port: number): Promise<void> {
  const host = describeSocketAddress({ hostname, port });
  const { state } = await Deno.permissions.request({ name: "net", host });
  if (state !== "granted") throw netAccessMissing(operation, host);
}
