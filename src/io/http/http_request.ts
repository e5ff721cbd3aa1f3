import { standInFor } from "./lazy_web_object.ts";
import { HEADER_WORDS, METHODS, RECORD, RECORD_WORDS } from "./request_head.ts";
import type { RequestBody } from "./request_body.ts";
import type { HeadCopies, HeadCopy } from "./head_copies.ts";
import { decodeLatin1, type StringCache } from "./string_cache.ts";

/** A request as the server passes it on: a `Request`, with cheaper access to some of its parts. */
export interface ServerRequest extends Request {
  /** The request target as it was sent, e.g. `"/search?q=1"`. */
  readonly target: string;
  /** The target's path, without the query and not decoded, e.g. `"/search"`. */
  readonly pathname: string;
  /** The value of one header field, without making a `Headers` of all; several lines are joined with `", "`. */
  header(name: string): string | null;
}

/** What a request needs to know about its connection. */
export interface RequestContext {
  /** Host and port for a request without a Host field (HTTP/1.0). */
  readonly authority: string;
  readonly strings: StringCache;
  readonly heads: HeadCopies;
}

/**
 * A request whose parts are decoded from the received bytes when they are read.
 *
 * During the handler's first synchronous run these bytes are the receive buffer itself. When the handler goes on asynchronously, the
 * head is copied (`detach`). After the response, parts that were never read are gone (`release`), as with `Deno.serve`.
 */
export class HttpRequest implements ServerRequest {
  #bytes: Uint8Array | undefined;
  #copy: HeadCopy | undefined;
  #words: Int32Array;
  #base: number;
  readonly #context: RequestContext;
  readonly #body: RequestBody | undefined;
  #target: string | undefined;
  #url: string | undefined;
  #headers: Headers | undefined;
  #real: Request | undefined;
  #abort: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  readonly #method: string;

  constructor(
    bytes: Uint8Array,
    words: Int32Array,
    base: number,
    context: RequestContext,
    body: RequestBody | undefined,
  ) {
    this.#bytes = bytes;
    this.#words = words;
    this.#base = base;
    this.#context = context;
    this.#body = body;
    this.#method = METHODS[words[base + RECORD.method]] ?? this.#decodeMethod();
  }

  #decodeMethod(): string {
    const start = this.#words[this.#base + RECORD.start];
    return this.#text(start, this.#words[this.#base + RECORD.methodLength]);
  }

  /** Copies the head, for a handler that goes on asynchronously. */
  detach(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    const words = this.#words;
    const base = this.#base;
    const start = words[base + RECORD.start];
    const end = words[base + RECORD.end];
    const count = RECORD_WORDS + HEADER_WORDS * words[base + RECORD.headerCount];
    const copy = this.#context.heads.acquire(end - start);
    copy.bytes.set(bytes.subarray(start, end));
    copy.words.set(words.subarray(base, base + count));
    this.#copy = copy;
    this.#bytes = copy.bytes;
    this.#words = copy.words;
    this.#base = 0;
    const own = copy.words;
    own[RECORD.start] = 0;
    own[RECORD.end] = end - start;
    own[RECORD.targetStart] -= start;
    own[RECORD.hostStart] -= start;
    for (let at = RECORD_WORDS; at < count; at += HEADER_WORDS) {
      own[at] -= start;
      own[at + 2] -= start;
    }
  }

  /** Forgets the head: the response has been sent. */
  release(): void {
    this.#bytes = undefined;
    if (this.#copy === undefined) return;
    this.#context.heads.release(this.#copy);
    this.#copy = undefined;
  }

  /** The client is gone. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#abort?.abort(reason);
  }

  #head(): Uint8Array {
    if (this.#bytes === undefined) {
      throw new TypeError(
        "read the request: its response has been sent; keep what is needed before returning it",
      );
    }
    return this.#bytes;
  }

  #text(start: number, length: number): string {
    return this.#context.strings.get(this.#head(), start, length);
  }

  get method(): string {
    return this.#method;
  }

  get target(): string {
    if (this.#target === undefined) {
      const at = this.#base;
      this.#target = this.#text(this.#words[at + RECORD.targetStart], this.#words[at + RECORD.targetLength]);
    }
    return this.#target;
  }

  get pathname(): string {
    let { target } = this;
    if (target.charCodeAt(0) !== 47 && target !== "*") {
      target = URL.parse(target)?.pathname ?? target.replace(/^[a-z]+:\/\/[^/?]*\/?/i, "/");
    }
    const query = target.indexOf("?");
    return query < 0 ? target : target.slice(0, query);
  }

  get url(): string {
    if (this.#url === undefined) {
      const { target } = this;
      if (target.charCodeAt(0) === 47 || target === "*") {
        // The words describe another request as soon as the bytes do.
        this.#head();
        const length = this.#words[this.#base + RECORD.hostLength];
        const host = length === 0
          ? this.#context.authority
          : this.#text(this.#words[this.#base + RECORD.hostStart], length);
        this.#url = target === "*" ? `http://${host}/` : `http://${host}${target}`;
      } else {
        // RFC 9112, 3.2.2: an absolute target prevails over Host.
        this.#url = URL.parse(target)?.href ?? target;
      }
    }
    return this.#url;
  }

  header(name: string): string | null {
    if (this.#headers !== undefined) return this.#headers.get(name);
    const lower = name.toLowerCase();
    let value: string | null = null;
    this.#forEachField((fieldName, start, length) => {
      if (fieldName.length !== lower.length || fieldName.toLowerCase() !== lower) return;
      const text = decodeLatin1(this.#head(), start, length);
      value = value === null ? text : `${value}, ${text}`;
    });
    return value;
  }

  get headers(): Headers {
    if (this.#real !== undefined) return this.#real.headers;
    if (this.#headers === undefined) {
      const headers = new Headers();
      this.#forEachField((name, start, length) =>
        headers.append(name, decodeLatin1(this.#head(), start, length))
      );
      this.#headers = headers;
    }
    return this.#headers;
  }

  #forEachField(visit: (name: string, valueStart: number, valueLength: number) => void): void {
    this.#head();
    const words = this.#words;
    const count = words[this.#base + RECORD.headerCount];
    for (let field = 0; field < count; field++) {
      const at = this.#base + RECORD_WORDS + HEADER_WORDS * field;
      visit(this.#text(words[at], words[at + 1]), words[at + 2], words[at + 3]);
    }
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.#real !== undefined) return this.#real.body;
    return this.#body?.stream ?? null;
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? this.#body?.used ?? false;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted !== undefined) this.#abort.abort(this.#aborted.reason);
    }
    return this.#abort.signal;
  }

  #materialise(): Request {
    if (this.#real === undefined) {
      const init: RequestInit & { duplex?: "half" } = {
        method: this.#method,
        headers: this.headers,
        signal: this.signal,
      };
      // A body that was read directly from the connection cannot be read again through the real request.
      if (this.#body !== undefined && this.#method !== "GET" && this.#method !== "HEAD") {
        init.body = this.#body.stream;
        init.duplex = "half";
      }
      this.#real = new Request(this.url, init);
    }
    return this.#real;
  }

  /** @internal */
  static materialise(request: object): Request {
    return (request as HttpRequest).#materialise();
  }

  /** Reads the body without a stream unless one has been requested. */
  async #readAll(): Promise<Uint8Array<ArrayBuffer>> {
    const body = this.#body;
    if (body === undefined) return new Uint8Array(0);
    if (this.#real !== undefined || body.streamed) return await this.#materialise().bytes();
    if (body.used) throw new TypeError("read the request's body: it has been read already");
    return await body.bytes();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#readAll();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.#readAll();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.#readAll());
  }

  // deno-lint-ignore no-explicit-any -- as in the interface it implements
  async json(): Promise<any> {
    return JSON.parse(await this.text());
  }

  blob(): Promise<Blob> {
    return this.#materialise().blob();
  }

  formData(): Promise<FormData> {
    return this.#materialise().formData();
  }

  textStream(): ReadableStream<string> {
    return this.#materialise().textStream();
  }

  clone(): Request {
    return this.#materialise().clone();
  }

  get cache(): RequestCache {
    return "default";
  }

  get credentials(): RequestCredentials {
    return "same-origin";
  }

  get destination(): RequestDestination {
    return "";
  }

  get integrity(): string {
    return "";
  }

  get isHistoryNavigation(): boolean {
    return false;
  }

  get isReloadNavigation(): boolean {
    return false;
  }

  get keepalive(): boolean {
    return false;
  }

  get mode(): RequestMode {
    return "cors";
  }

  get redirect(): RequestRedirect {
    return "follow";
  }

  get referrer(): string {
    return "about:client";
  }

  get referrerPolicy(): ReferrerPolicy {
    return "";
  }
}

standInFor(HttpRequest, Request, new Request("http://localhost"), HttpRequest.materialise);
