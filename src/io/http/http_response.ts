import { standInFor } from "./lazy_web_object.ts";
import { statusText } from "./status_text.ts";

/** The content of a response that has not been used as a web object. */
export interface LightResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeadersInit | undefined;
  readonly body: string | Uint8Array | null;
}

/** Status codes whose responses have no body (Fetch standard). */
const NULL_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * A `Response` that is cheap to make and to send: the server writes its text or bytes straight to the connection. It is an
 * instance of `Response` and is used like one; for the rest of the interface it makes a real response behind it.
 *
 * ```ts
 * import { HttpResponse } from "@millrace/millrace/http";
 *
 * const response = new HttpResponse("Hello world!", { headers: { "cache-control": "no-store" } });
 * console.log(response instanceof Response, response.status, await response.text());
 * ```
 */
export class HttpResponse implements Response {
  /**
   * Like `Response.json()`.
   *
   * @throws {TypeError} when `data` has no JSON form
   */
  static json(data: unknown, init: ResponseInit = {}): HttpResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("HttpResponse.json: the value has no JSON form");
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new HttpResponse(text, { ...init, headers });
  }

  /** What the server writes, or `undefined` when a real response has taken over. */
  static light(response: unknown): LightResponse | undefined {
    if (typeof response !== "object" || response === null) return undefined;
    return #status in response && response.#real === undefined ? response.#lightForm() : undefined;
  }

  readonly #status: number;
  readonly #statusText: string;
  readonly #body: BodyInit | null;
  #headers: HeadersInit | undefined;
  #headersMade = false;
  #real: Response | undefined;

  /**
   * Takes what `Response` takes. Views are not copied: do not change them until the response has been sent.
   *
   * @throws {RangeError} when the status is not one of 200 to 599
   * @throws {TypeError} when there is a body and the status forbids one
   */
  constructor(body?: BodyInit | null, init?: ResponseInit) {
    this.#body = body ?? null;
    this.#status = 200;
    this.#statusText = "";
    if (init === undefined) return;
    const { status = 200, statusText: text = "" } = init;
    if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
      throw new RangeError(`HttpResponse: status is ${status}, expected a whole number from 200 to 599`);
    }
    if (this.#body !== null && NULL_BODY.has(status)) {
      throw new TypeError(`HttpResponse: a response with status ${status} has no body`);
    }
    if (text !== "" && !/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
      throw new TypeError("HttpResponse: statusText has a character that may not stand there");
    }
    this.#status = status;
    this.#statusText = text;
    this.#headers = init.headers;
  }

  #lightForm(): LightResponse | undefined {
    const body = this.#body;
    if (typeof body !== "string" && body !== null && !(body instanceof Uint8Array)) return undefined;
    return { status: this.#status, statusText: this.#statusText, headers: this.#headers, body };
  }

  #materialise(): Response {
    if (this.#real === undefined) {
      const init: ResponseInit = { status: this.#status, statusText: this.#statusText };
      if (this.#headers !== undefined) init.headers = this.#headers;
      this.#real = new Response(this.#body, init);
    }
    return this.#real;
  }

  /** @internal */
  static materialise(response: object): Response {
    return (response as HttpResponse).#materialise();
  }

  /** The status code, 200 to 599. */
  get status(): number {
    return this.#status;
  }

  /** The reason phrase; when empty, the server sends the registered one. */
  get statusText(): string {
    return this.#statusText;
  }

  /** Whether the status is one of 200 to 299. */
  get ok(): boolean {
    return this.#status < 300;
  }

  /** The header fields, as an object that may be changed. */
  get headers(): Headers {
    if (this.#real !== undefined) return this.#real.headers;
    if (!this.#headersMade) {
      const headers = new Headers(this.#headers);
      if (typeof this.#body === "string" && !headers.has("content-type")) {
        headers.set("content-type", "text/plain;charset=UTF-8");
      } else if (
        typeof this.#body !== "string" && this.#body !== null && !(this.#body instanceof Uint8Array)
      ) {
        return this.#materialise().headers;
      }
      this.#headers = headers;
      this.#headersMade = true;
    }
    return this.#headers as Headers;
  }

  /** The body as a stream, which makes a real response behind this one. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#body === null ? null : this.#materialise().body;
  }

  /** Whether the body has been read. */
  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? false;
  }

  /** `false`: this response was made, not fetched. */
  get redirected(): boolean {
    return false;
  }

  /** `"default"`, as of every response that was made. */
  get type(): ResponseType {
    return "default";
  }

  /** `""`, as of every response that was made. */
  get url(): string {
    return "";
  }

  /**
   * A real response with the same content.
   *
   * @throws {TypeError} when the body has been read
   */
  clone(): Response {
    return this.#materialise().clone();
  }

  /** The body as a buffer. */
  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#materialise().arrayBuffer();
  }

  /** The body as a blob. */
  blob(): Promise<Blob> {
    return this.#materialise().blob();
  }

  /** The body as bytes. */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#materialise().bytes();
  }

  /**
   * The body as form data.
   *
   * @throws {TypeError} (as a rejection) when it is not form data
   */
  formData(): Promise<FormData> {
    return this.#materialise().formData();
  }

  /**
   * The body, parsed as JSON.
   *
   * @throws {SyntaxError} (as a rejection) when it is not JSON
   */
  // deno-lint-ignore no-explicit-any -- as in the interface it implements
  json(): Promise<any> {
    return this.#materialise().json();
  }

  /** The body as text. */
  text(): Promise<string> {
    return this.#materialise().text();
  }

  /** The body as a stream of text. */
  textStream(): ReadableStream<string> {
    return this.#materialise().textStream();
  }
}

standInFor(HttpResponse, Response, new Response(null), HttpResponse.materialise);

/** The reason phrase to send: the response's own, or the registered one. */
export function reasonOf(status: number, text: string): string {
  return text === "" ? statusText(status) : text;
}
