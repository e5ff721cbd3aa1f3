import { type ControlAnswer, type ControlRequest, readLine } from "./control_server.ts";

/** Bytes of an answer at most. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Asks the supervisor that listens at `path`, and waits for its answer.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.ConnectionRefused} (as rejections) when none does
 * @throws {Error} (as a rejection) with what the supervisor says when it cannot do it
 */
export async function askSupervisor(
  path: string,
  request: ControlRequest,
  options: { signal?: AbortSignal } = {},
): Promise<ControlAnswer & { ok: true }> {
  const { signal } = options;
  signal?.throwIfAborted();
  const conn = await connect(path);
  const onAbort = (): void => conn.close();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await conn.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const line = await readLine(conn, ANSWER_BYTES_MAX);
    if (line === "") {
      throw new Deno.errors.ConnectionReset(`the supervisor at ${path} has ended without an answer`);
    }
    const answer = JSON.parse(line) as ControlAnswer;
    if (!answer.ok) throw new Error(answer.error);
    return answer;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (!signal?.aborted) conn.close();
  }
}

async function connect(path: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      throw new Deno.errors.NotFound(`no supervisor listens at ${path}`);
    }
    throw error;
  }
}
