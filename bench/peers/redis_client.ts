const encoder = new TextEncoder();

/** As much of Redis's protocol as this needs: commands out, replies counted or read. */
export class RedisClient {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(1 << 16);
  #text = "";
  readonly #decoder = new TextDecoder("latin1");

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async send(command: string, count = 1): Promise<void> {
    const bytes = encoder.encode(command.repeat(count));
    for (let written = 0; written < bytes.length;) written += await this.#conn.write(bytes.subarray(written));
  }

  /** The next line. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const count = await this.#conn.read(this.#buffer);
      if (count === null) throw new Error("redis has closed the connection");
      this.#text += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
  }

  /** A bulk string, or an array of them; undefined for none. */
  async reply(): Promise<string[] | undefined> {
    const head = await this.line();
    const count = Number(head.slice(1));
    if (head[0] === ":" || head[0] === "+") return [head.slice(1)];
    if (count < 0) return undefined;
    if (head[0] === "$") return [await this.line()];
    const values: string[] = [];
    for (let index = 0; index < count; index++) values.push(...await this.reply() ?? []);
    return values;
  }
}

/** A command as Redis takes it. */
export function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** A connection to the server whose socket is, or soon will be, at `path`. */
export async function connect(path: string): Promise<RedisClient> {
  for (let attempt = 0;; attempt++) {
    try {
      return new RedisClient(await Deno.connect({ transport: "unix", path }));
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Runs `body` beside a server of its own, which is gone afterwards, with all that it has written. */
export async function withRedis(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_bench_" });
  const path = `${directory}/redis.sock`;
  const server = new Deno.Command("redis-server", {
    args: ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", directory],
    stdout: "null",
  }).spawn();
  try {
    await body(path);
  } finally {
    server.kill();
    await server.status;
    await Deno.remove(directory, { recursive: true });
  }
}
