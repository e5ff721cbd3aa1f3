import { lookup } from "node:dns/promises";
import { abortable } from "./abortable.ts";
import { netAccessMissing } from "./net_access.ts";

/** The code of `lookup` when Deno denies it. No resolver returns this one. */
const REFUSED = "EPERM";

/**
 * Addresses of a host name by the system's resolver, in its order. Aborting rejects with the signal's reason.
 *
 * @throws {Deno.errors.NotFound} (as a rejection) when the name is not known
 * @throws {Deno.errors.NotCapable} (as a rejection) without `--allow-net` for the name
 */
export async function resolveHost(hostname: string, signal?: AbortSignal): Promise<string[]> {
  const found = lookup(hostname, { all: true, order: "verbatim" }).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "EAI_FAIL";
    if (code === REFUSED) throw netAccessMissing("resolve", hostname);
    const failure = new Deno.errors.NotFound(`resolve ${hostname}: no such host name (${code})`);
    throw Object.assign(failure, { operation: "resolve", code });
  });
  const addresses = await abortable(found, signal);
  return addresses.map(({ address }) => address);
}
