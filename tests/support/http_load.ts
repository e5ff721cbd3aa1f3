/** How a client uses its connections. */
export type LoadKind = "keep-alive" | "connection-per-request";

/** What came of a load. */
export interface LoadResult {
  /** Requests that were answered with 200 and a whole body. */
  readonly answeredCount: number;
  /** Bodies that came. */
  readonly bodies: ReadonlySet<string>;
  /** What went wrong with the others. */
  readonly failures: readonly string[];
}

/**
 * Clients that send one request after the other until they are told to stop, over sockets of their own: nothing is ever sent again, so
 * that what a server drops is seen. A connection is used again unless the answer said `connection: close`; one that ends otherwise is a
 * failure.
 */
export class HttpLoad {
  readonly #port: number;
  readonly #bodies = new Set<string>();
  readonly #failures: string[] = [];
  readonly #clients: Promise<void>[] = [];
  #answeredCount = 0;
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
  }

  get answeredCount(): number {
    return this.#answeredCount;
  }

  get bodies(): ReadonlySet<string> {
    return this.#bodies;
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Starts `count` clients. */
  start(count: number, kind: LoadKind, target = "/"): void {
    for (let client = 0; client < count; client++) this.#clients.push(this.#run(kind, target));
  }

  /** Lets the clients finish their requests. */
  async stop(): Promise<LoadResult> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return { answeredCount: this.#answeredCount, bodies: this.#bodies, failures: this.#failures };
  }

  async #run(kind: LoadKind, target: string): Promise<void> {
    let conn: Deno.TcpConn | undefined;
    let used = 0;
    while (!this.#stopped) {
      try {
        if (conn === undefined) {
          conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
          conn.setNoDelay();
          used = 0;
        }
        const close = kind === "connection-per-request";
        await request(conn, target, close);
        const response = await readResponse(conn);
        used++;
        if (response.status !== 200) throw new Error(`status ${response.status}`);
        this.#answeredCount++;
        this.#bodies.add(response.body);
        if (close || response.close) {
          conn.close();
          conn = undefined;
        }
      } catch (error) {
        this.#failures.push(`${kind}, request ${used + 1} of its connection: ${error}`);
        conn?.close();
        conn = undefined;
        // Nobody listens at all: no need to say so a hundred thousand times.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    conn?.close();
  }
}

async function request(conn: Deno.Conn, target: string, close: boolean): Promise<void> {
  const head = `GET ${target} HTTP/1.1\r\nhost: load\r\n${close ? "connection: close\r\n" : ""}\r\n`;
  await conn.write(new TextEncoder().encode(head));
}

async function readResponse(conn: Deno.Conn): Promise<{ status: number; body: string; close: boolean }> {
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const head = text.slice(0, end);
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
      if (Number.isNaN(length)) throw new Error(`no length in ${JSON.stringify(head)}`);
      if (text.length >= end + 4 + length) {
        const body = text.slice(end + 4, end + 4 + length);
        return { status: Number(head.slice(9, 12)), body, close: /^connection: close$/im.test(head) };
      }
    }
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`the connection ended after ${text.length} bytes of the answer`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
