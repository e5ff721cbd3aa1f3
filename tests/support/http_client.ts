import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { latin1Bytes, latin1Text } from "./http_bytes.ts";

/** What a client talks through: a connection of Deno's or of ours. */
export interface ByteConn {
  readonly localAddr: Deno.Addr;
  read(into: Uint8Array): Promise<number | null>;
  write(data: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** A response as it came over the wire. */
export interface RawResponse {
  /** Status line and fields, byte for byte, without the empty line. */
  readonly head: string;
  readonly status: number;
  readonly reason: string;
  /** Fields in their order, names as sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly framing: "none" | "length" | "chunked" | "close";
  /** The only field of that name, or `undefined`; several are an error. */
  field(name: string): string | undefined;
}

/** What a client knows about the request that a response answers. */
export interface ExpectedResponse {
  /** It answers HEAD: no body follows. */
  readonly head?: boolean;
}

const IMF_FIXDATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

/** A client that sends raw bytes and reads responses more strictly than any browser. */
export class RawClient {
  readonly #conn: ByteConn;
  readonly #into = new Uint8Array(65_536);
  #text = "";
  #ended = false;
  #closed = false;
  /** How reading ended, when not with an orderly end. */
  error: unknown;
  /** Bytes that came in. */
  receivedBytes = 0;

  constructor(conn: ByteConn) {
    this.#conn = conn;
  }

  /** The port it has on its side. */
  get localPort(): number {
    return (this.#conn.localAddr as Deno.NetAddr).port;
  }

  /** Sends the bytes of a latin-1 text. */
  async send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? latin1Bytes(text) : text;
    for (let at = 0; at < bytes.byteLength;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Sends, and does not mind that the server has closed already. */
  async sendIfOpen(text: string | Uint8Array): Promise<boolean> {
    try {
      await this.send(text);
      return true;
    } catch {
      return false;
    }
  }

  /** The next response, final or not. */
  async response(expected: ExpectedResponse = {}): Promise<RawResponse> {
    const lines: string[] = [];
    for (let line = await this.#line(); line !== ""; line = await this.#line()) lines.push(line);
    const [statusLine = "", ...fieldLines] = lines;
    const match = /^HTTP\/1\.1 (\d{3}) ([\t\x20-\x7e\x80-\xff]*)$/.exec(statusLine);
    assert(match !== null, `a status line, found ${JSON.stringify(statusLine)}`);
    const fields = fieldLines.map((line) => {
      const parts = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?(.*?)$/s.exec(line);
      assert(parts !== null && !/[\0\r\n]/.test(line), `a header field, found ${JSON.stringify(line)}`);
      return [parts[1], parts[2]] as const;
    });
    const head = lines.join("\r\n");
    const field = (name: string) => onlyValue(fields, name);
    const [status, reason] = [Number(match[1]), match[2]];
    if (status >= 200) assertMatch(field("date") ?? "no date", IMF_FIXDATE);
    return { head, status, reason, fields, field, ...await this.#body(status, field, expected) };
  }

  /** Everything up to the end of the connection; a reset ends it too, and is kept in `error`. */
  async rest(): Promise<string> {
    while (await this.#fill());
    const rest = this.#text;
    this.#text = "";
    return rest;
  }

  /** Asserts that the server closes in an orderly way and sends nothing more. */
  async assertEnd(): Promise<void> {
    assertStrictEquals(await this.rest(), "", "nothing more");
    assertStrictEquals(this.error, undefined, `an orderly end, found ${this.error}`);
  }

  /** Asserts that the connection is still good for another request. */
  async assertOpen(): Promise<void> {
    await this.send("GET /still-open HTTP/1.1\r\nhost: a\r\n\r\n");
    await this.response();
  }

  /** Reads until `byteLength` bytes wait to be looked at, or the end. */
  async receive(byteLength: number): Promise<string> {
    while (this.#text.length < byteLength && await this.#fill());
    return this.#take(Math.min(byteLength, this.#text.length));
  }

  /** Ends this side's direction. */
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #body(
    status: number,
    field: (name: string) => string | undefined,
    { head = false }: ExpectedResponse,
  ): Promise<Pick<RawResponse, "body" | "framing">> {
    const length = field("content-length");
    const coding = field("transfer-encoding");
    assert(length === undefined || coding === undefined, "not a length beside a transfer coding");
    if (status < 200 || status === 204) {
      assertEquals([length, coding], [undefined, undefined], `no framing with status ${status}`);
    }
    if (head || status < 200 || status === 204 || status === 304) return { body: "", framing: "none" };
    if (coding !== undefined) {
      assertStrictEquals(coding, "chunked");
      return { body: await this.#chunks(), framing: "chunked" };
    }
    if (length === undefined) return { body: await this.rest(), framing: "close" };
    assertMatch(length, /^\d+$/);
    return { body: await this.#exactly(Number(length)), framing: "length" };
  }

  async #chunks(): Promise<string> {
    const pieces: string[] = [];
    for (;;) {
      const size = await this.#line();
      assertMatch(size, /^[0-9a-f]+$/, `a chunk size, found ${JSON.stringify(size)}`);
      const length = parseInt(size, 16);
      if (length > 0) pieces.push(await this.#exactly(length));
      assertStrictEquals(await this.#line(), "");
      if (length === 0) return pieces.join("");
    }
  }

  async #line(): Promise<string> {
    for (let from = 0;;) {
      const end = this.#text.indexOf("\n", from);
      if (end >= 0) {
        const line = this.#take(end + 1);
        assert(line.endsWith("\r\n"), `CR before LF, found ${JSON.stringify(line)}`);
        return line.slice(0, -2);
      }
      from = this.#text.length;
      if (!await this.#fill()) throw this.#early("a line");
    }
  }

  async #exactly(length: number): Promise<string> {
    const pieces: string[] = [];
    for (let missing = length; missing > 0;) {
      if (this.#text === "" && !await this.#fill()) throw this.#early(`${missing} more bytes of a body`);
      const piece = this.#take(Math.min(missing, this.#text.length));
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.join("");
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return taken;
  }

  #early(what: string): Error {
    const found = JSON.stringify(this.#text.slice(0, 200));
    return new Error(`the connection ended before ${what}; at hand: ${found}`, { cause: this.error });
  }

  async #fill(): Promise<boolean> {
    if (this.#ended) return false;
    let count: number | null = null;
    try {
      count = await this.#conn.read(this.#into);
    } catch (error) {
      this.error = error;
    }
    if (count === null) {
      this.#ended = true;
      return false;
    }
    this.receivedBytes += count;
    this.#text += latin1Text(this.#into.subarray(0, count));
    return true;
  }
}

function onlyValue(
  fields: readonly (readonly [name: string, value: string])[],
  name: string,
): string | undefined {
  const found = fields.filter(([key]) => key.toLowerCase() === name);
  assert(found.length <= 1, `one ${name}, found ${found.length}`);
  return found[0]?.[1];
}
