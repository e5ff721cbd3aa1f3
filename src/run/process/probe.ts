/** Whether `url` answers within `timeoutMs` with a status below 400; on a connection of its own. */
export async function probeHttp(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { connection: "close" },
      signal: AbortSignal.timeout(Math.max(1, timeoutMs)),
    });
    await response.body?.cancel();
    return response.status < 400;
  } catch (error) {
    // A mistake that waiting does not mend.
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}
