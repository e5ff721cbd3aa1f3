import { dirname } from "node:path";
import type { GuardedSocket } from "./guard.ts";
import { guardedSocket, removeLeftOver, removeSockets } from "./socket_files.ts";
import type { InstanceStatus, Supervisor } from "./supervisor.ts";

/** What is asked of a supervisor over its socket, in one line of JSON. */
export type ControlRequest =
  | { readonly command: "status" }
  | { readonly command: "reload"; readonly name?: string }
  | { readonly command: "stop"; readonly name?: string };

/** What it answers, in one line of JSON, when it is done. */
export type ControlAnswer =
  | {
    readonly ok: true;
    /** Its own number. */
    readonly pid: number;
    /** Of `status`. */
    readonly instances?: readonly InstanceStatus[];
  }
  | { readonly ok: false; readonly error: string };

/** Bytes of a request at most. */
const REQUEST_BYTES_MAX = 4096;
/** Milliseconds in which a request has to come. */
const REQUEST_MS_MAX = 10_000;
/** Milliseconds that answers get to go out when the supervisor has ended. */
const LAST_ANSWERS_MS = 1000;
/** Only the owner may connect. */
const MODE = 0o600;

/** Answers `millrace ps`, `reload` and `stop` on a Unix socket that only its owner may use. */
export class ControlServer {
  /** Where it listens. */
  readonly file: GuardedSocket;
  readonly #listener: Deno.UnixListener;
  readonly #answers = new Set<Promise<void>>();
  #supervisor: Supervisor | undefined;

  /**
   * Listens at `path`; a socket without a listener is replaced.
   *
   * It is made where nobody else can come, and gets its name when only its owner may use it.
   *
   * @throws {Deno.errors.AddrInUse} (as a rejection) when another supervisor listens there, or it is no socket
   */
  static async open(path: string): Promise<ControlServer> {
    await removeLeftOver(path);
    const directory = await Deno.makeTempDir({ dir: dirname(path), prefix: ".millrace-" });
    let listener: Deno.UnixListener | undefined;
    try {
      const inner = `${directory}/s`;
      listener = Deno.listen({ transport: "unix", path: inner });
      await Deno.chmod(inner, MODE);
      await Deno.link(inner, path);
      return new ControlServer(await guardedSocket(path), listener);
    } catch (error) {
      listener?.close();
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      throw new Deno.errors.AddrInUse(
        `control socket ${path}: another supervisor listens there, or it is no socket`,
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }

  private constructor(file: GuardedSocket, listener: Deno.UnixListener) {
    this.file = file;
    this.#listener = listener;
  }

  /** Begins to answer. */
  serve(supervisor: Supervisor): void {
    this.#supervisor = supervisor;
    this.#accept();
  }

  /** Stops answering, and removes the socket; resolves when answers that are on their way have gone. */
  async close(): Promise<void> {
    this.#listener.close();
    removeSockets([this.file]);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LAST_ANSWERS_MS);
    await Promise.race([Promise.all(this.#answers), late.promise]);
    clearTimeout(timer);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const answer = this.#answer(conn).finally(() => this.#answers.delete(answer));
      this.#answers.add(answer);
    }
  }

  async #answer(conn: Deno.UnixConn): Promise<void> {
    try {
      const timer = setTimeout(() => closeQuietly(conn), REQUEST_MS_MAX);
      const line = await readLine(conn).finally(() => clearTimeout(timer));
      const answer = await this.#execute(line);
      const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
      for (let sent = 0; sent < bytes.byteLength;) sent += await conn.write(bytes.subarray(sent));
    } catch {
      // The client has gone.
    } finally {
      closeQuietly(conn);
    }
  }

  async #execute(line: string): Promise<ControlAnswer> {
    const supervisor = this.#supervisor;
    if (supervisor === undefined) return { ok: false, error: "the supervisor is not there yet" };
    try {
      const request = JSON.parse(line) as ControlRequest;
      const { pid } = Deno;
      switch (request.command) {
        case "status":
          return { ok: true, pid, instances: supervisor.status() };
        case "reload":
          await (request.name === undefined ? supervisor.reloadAll() : supervisor.reload(request.name));
          return { ok: true, pid };
        case "stop":
          if (request.name !== undefined) await supervisor.stop(request.name);
          else {
            supervisor.shutdown();
            await supervisor.allEnded;
          }
          return { ok: true, pid };
        default:
          return { ok: false, error: `${line}: unknown command, expected status, reload or stop` };
      }
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** The first line that comes. */
export async function readLine(conn: Deno.Conn, bytesMax: number = REQUEST_BYTES_MAX): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes("\n")) {
    const count = await conn.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (text.length > bytesMax) throw new Deno.errors.InvalidData(`a line of more than ${bytesMax} bytes`);
  }
  return text.split("\n", 1)[0];
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
