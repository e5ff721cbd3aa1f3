import { lookup } from "node:dns/promises";
import { abortable } from "./abortable.ts";

/** Addresses of a host name by the system's resolver, in its order. Aborting rejects with the signal's reason. */
export async function resolveHost(hostname: string, signal?: AbortSignal): Promise<string[]> {
  const found = lookup(hostname, { all: true, order: "verbatim" }).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "EAI_FAIL";
    const failure = new Deno.errors.NotFound(`resolve ${hostname}: no such host name (${code})`);
    throw Object.assign(failure, { operation: "resolve", code });
  });
  const addresses = await abortable(found, signal);
  return addresses.map(({ address }) => address);
}
