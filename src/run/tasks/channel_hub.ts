import { SharedMemory } from "../../ipc/memory/mod.ts";
import { nativeStatus } from "../../../ffi/mod.ts";
import { welcome } from "./handshake.ts";
import { makeHubDirectory } from "./hub_directory.ts";
import { CHANNEL_REGION_PREFIX } from "./ring_transport.ts";
import { type ChannelOptions, ProcessChannel } from "./process_channel.ts";

/** The variable by which a process finds the one that has started it: a path, `#` and a token. */
export const CHANNEL_VARIABLE = "MILLRACE_CHANNEL";
/** Processes that may be on their way to a channel at once; others wait. */
const WELCOMES_MAX = 256;

/**
 * Where the processes that this one starts connect to: give them its {@linkcode ChannelHub.env}, and each that calls `openChannel()` has a
 * channel.
 *
 * ```ts ignore
 * import { supervise } from "@millrace/millrace/process";
 * import { ChannelHub } from "@millrace/millrace/tasks";
 *
 * await using hub = await ChannelHub.open<{ level: number }, { done: string }>();
 * await using supervisor = await supervise([{ name: "worker", command: "./worker.ts", env: hub.env }]);
 * for await (const channel of hub) channel.post({ level: 3 });
 * ```
 */
export class ChannelHub<Sent = unknown, Received = unknown>
  implements AsyncIterable<ProcessChannel<Sent, Received>>, AsyncDisposable {
  /** Variables for the processes that are to connect. */
  readonly env: Readonly<Record<string, string>>;
  readonly #directory: string;
  readonly #listener: Deno.UnixListener;
  readonly #token: string;
  readonly #options: ChannelOptions;
  readonly #channels = new Set<ProcessChannel<Sent, Received>>();
  readonly #fresh: ProcessChannel<Sent, Received>[] = [];
  #wake: (() => void) | undefined;
  /** Connections of processes that are on their way to a channel. */
  readonly #welcomes = new Set<Deno.Conn>();
  #onWelcomed: () => void = () => {};
  #closed = false;

  /**
   * Begins to listen, in a directory that only this user may use.
   *
   * @throws {Deno.errors.PermissionDenied} (as a rejection) when no temporary directory can be made
   */
  static async open<Sent = unknown, Received = unknown>(
    options: ChannelOptions = {},
  ): Promise<ChannelHub<Sent, Received>> {
    const { directory, path } = await makeHubDirectory();
    try {
      const hub = new ChannelHub<Sent, Received>(
        directory,
        Deno.listen({ transport: "unix", path }),
        path,
        options,
      );
      if (nativeStatus().available) removeAbandoned();
      return hub;
    } catch (error) {
      await Deno.remove(directory, { recursive: true });
      throw error;
    }
  }

  private constructor(
    directory: string,
    listener: Deno.UnixListener,
    path: string,
    options: ChannelOptions,
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#listener = listener;
    this.#token = crypto.randomUUID();
    this.env = { [CHANNEL_VARIABLE]: `${path}#${this.#token}` };
    void this.#accept();
  }

  /** Channels as they come, until the hub is closed. For one reader at a time. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<ProcessChannel<Sent, Received>> {
    for (;;) {
      for (let channel = this.#fresh.shift(); channel !== undefined; channel = this.#fresh.shift()) {
        yield channel;
      }
      if (this.#closed) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Closes all channels, and takes no more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    this.#wake?.();
    this.#onWelcomed();
    for (const conn of this.#welcomes) closeQuietly(conn);
    await Promise.all([...this.#channels].map((channel) => channel.close()));
    await Deno.remove(this.#directory, { recursive: true }).catch(() => {});
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        if (this.#welcomes.size >= WELCOMES_MAX) {
          await new Promise<void>((resolve) => this.#onWelcomed = resolve);
        } else void this.#welcome(await this.#listener.accept());
      } catch {
        // It is closed; or too many files are open, which may pass.
        if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async #welcome(conn: Deno.Conn): Promise<void> {
    this.#welcomes.add(conn);
    try {
      const found = await welcome(conn, this.#token);
      if (found === undefined || this.#closed) {
        found?.transport.close();
        closeQuietly(conn);
        return;
      }
      const channel = new ProcessChannel<Sent, Received>(found.peer, found.transport, this.#options);
      this.#channels.add(channel);
      channel.closed.then(() => this.#channels.delete(channel));
      this.#fresh.push(channel);
      this.#wake?.();
    } catch {
      // It has ended meanwhile, or is none of this package's.
      closeQuietly(conn);
    } finally {
      this.#welcomes.delete(conn);
      this.#onWelcomed();
    }
  }
}

/** What a process left that was killed in the middle of a handshake. */
function removeAbandoned(): void {
  try {
    SharedMemory.removeAbandoned({ prefix: CHANNEL_REGION_PREFIX });
  } catch {
    // It belongs to another hub.
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}
