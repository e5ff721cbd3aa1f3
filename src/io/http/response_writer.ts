import type { SendQueue } from "../reactor/mod.ts";
import type { LightResponse } from "./http_response.ts";
import { statusText } from "./status_text.ts";

const encoder = new TextEncoder();
const CR = 13;
const LF = 10;

/** Room for a status line with its reason, Date, Content-Length and Connection, besides the handler's own fields. */
const OWN_FIELDS_BYTES = 256;
/** A string's UTF-8 form has at most this many bytes a character. */
const UTF8_BYTES_PER_CHARACTER = 3;
/** Field lines that stay encoded for reuse. */
const LINES_KEPT_MAX = 256;

/** How the end of a body is marked. */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly byteLength: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

/** The part of a response that the connection decides. */
export interface ResponseContext {
  readonly http11: boolean;
  readonly keepAlive: boolean;
  /** The response to HEAD: the body that the fields announce does not follow. */
  readonly head: boolean;
}

/** Fields that the server sets and a handler cannot: they describe the connection, not the response. */
const SERVER_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

const TEXT_PLAIN = ascii("content-type: text/plain;charset=UTF-8\r\n");
const CONTENT_LENGTH = ascii("content-length: ");
const CLOSE = ascii("connection: close\r\n");
const KEEP_ALIVE = ascii("connection: keep-alive\r\n");
const CHUNKED = ascii("transfer-encoding: chunked\r\n");
/** Characters of a text that is written by the short path. */
const SHORT_TEXT_MAX = 256;
const ZERO = 48;
/** Room for the digits of a length and the end of a head. */
const LENGTH_AND_END_BYTES = 20;

function ascii(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Encodes responses into a connection's send queue. One per server. */
export class ResponseWriter {
  readonly #lines = new Map<string, Uint8Array>();
  /** Status line and Date of the last response, which most of the next have too. */
  #prefix: Uint8Array = new Uint8Array(0);
  /** The same, with the fields of a text up to its length, for each way to end the body and the connection. */
  #textPrefix: Uint8Array = new Uint8Array(0);
  #closeTextPrefix: Uint8Array = new Uint8Array(0);
  #keepAliveTextPrefix: Uint8Array = new Uint8Array(0);
  #prefixStatus = 0;
  #prefixReason = "";
  #prefixUntilMs = -1;

  /**
   * Writes a complete response with an available body; false when the queue has no room for it in one piece, and nothing was
   * written.
   */
  tryWriteWhole(queue: SendQueue, response: LightResponse, context: ResponseContext, nowMs: number): boolean {
    const { body, headers } = response;
    if (typeof body === "string" && headers === undefined && body.length <= SHORT_TEXT_MAX) {
      if (this.#tryWriteShortText(queue, response.status, response.statusText, body, context, nowMs)) {
        return true;
      }
    }
    // The response to HEAD may announce a length among its fields.
    if (context.head && body === null && headers !== undefined) return false;
    const bodyBytesMax = body === null
      ? 0
      : typeof body === "string"
      ? body.length * UTF8_BYTES_PER_CHARACTER
      : body.byteLength;
    if (bodyBytesMax + OWN_FIELDS_BYTES > queue.reserveBytesMax) return false;
    const lines = headers === undefined ? NO_LINES : this.#encodeFields(headers);
    const needed = bodyBytesMax + OWN_FIELDS_BYTES + response.statusText.length + lines.byteLength;
    if (needed > queue.reserveBytesMax || !queue.reserve(needed)) return false;
    const { bytes } = queue;
    const start = queue.at;
    let at = this.#writePrefix(bytes, start, response.status, response.statusText, nowMs);
    at = put(bytes, at, lines.bytes, lines.byteLength);
    if (typeof body === "string" && !lines.hasContentType) {
      at = put(bytes, at, TEXT_PLAIN, TEXT_PLAIN.byteLength);
    }
    at = writeConnection(bytes, at, context);
    at = this.#writeBody(bytes, at, response, context);
    queue.commit(at - start);
    return true;
  }

  /** The most common response, a short ASCII text without fields of its own, in as few steps as possible. */
  #tryWriteShortText(
    queue: SendQueue,
    status: number,
    reason: string,
    text: string,
    context: ResponseContext,
    nowMs: number,
  ): boolean {
    if (!queue.reserve(OWN_FIELDS_BYTES + SHORT_TEXT_MAX + reason.length)) return false;
    this.#refreshPrefix(status, reason, nowMs);
    const prefix = context.keepAlive
      ? context.http11 ? this.#textPrefix : this.#keepAliveTextPrefix
      : this.#closeTextPrefix;
    const { bytes } = queue;
    const start = queue.at;
    bytes.set(prefix, start);
    let at = start + prefix.byteLength;
    const { length } = text;
    if (length >= 100) bytes[at++] = ZERO + Math.trunc(length / 100);
    if (length >= 10) bytes[at++] = ZERO + Math.trunc(length / 10) % 10;
    bytes[at++] = ZERO + length % 10;
    bytes[at] = CR;
    bytes[at + 1] = LF;
    bytes[at + 2] = CR;
    bytes[at + 3] = LF;
    at += 4;
    const end = at + length;
    for (let index = 0; at < end; index++, at++) {
      const code = text.charCodeAt(index);
      // Its length in bytes differs from that in characters.
      if (code > 0x7f) return false;
      bytes[at] = code;
    }
    queue.commit((context.head ? end - length : end) - start);
    return true;
  }

  #writeBody(bytes: Uint8Array, from: number, response: LightResponse, context: ResponseContext): number {
    const { body, status } = response;
    let at = from;
    if (body === null) {
      if (!hasNoLength(status)) at = writeLength(bytes, at, 0);
      return endHead(bytes, at);
    }
    if (typeof body !== "string") {
      at = endHead(bytes, writeLength(bytes, at, body.byteLength));
      return context.head ? at : put(bytes, at, body, body.byteLength);
    }
    return writeText(bytes, at, body, context.head);
  }

  /** Writes the head of a response whose body follows in pieces; false when there is no room now. */
  tryWriteHead(
    queue: SendQueue,
    status: number,
    reason: string,
    headers: HeadersInit | undefined,
    framing: BodyFraming,
    context: ResponseContext,
    nowMs: number,
  ): boolean {
    const lines = headers === undefined ? NO_LINES : this.#encodeFields(headers);
    const needed = OWN_FIELDS_BYTES + reason.length + lines.byteLength;
    if (needed > queue.reserveBytesMax) {
      throw new RangeError(
        `write the response: ${lines.byteLength} bytes of header fields, over the limit of ${
          queue.reserveBytesMax - OWN_FIELDS_BYTES
        }`,
      );
    }
    if (!queue.reserve(needed)) return false;
    const { bytes } = queue;
    const start = queue.at;
    let at = this.#writePrefix(bytes, start, status, reason, nowMs);
    at = put(bytes, at, lines.bytes, lines.byteLength);
    at = writeConnection(bytes, at, context);
    if (framing.kind === "length") at = writeLength(bytes, at, framing.byteLength);
    else if (framing.kind === "chunked") at = put(bytes, at, CHUNKED, CHUNKED.byteLength);
    at = endHead(bytes, at);
    queue.commit(at - start);
    return true;
  }

  #writePrefix(bytes: Uint8Array, at: number, status: number, reason: string, nowMs: number): number {
    this.#refreshPrefix(status, reason, nowMs);
    return put(bytes, at, this.#prefix, this.#prefix.byteLength);
  }

  /** Status line and Date, encoded anew where they differ from the last response's. */
  #refreshPrefix(status: number, reason: string, nowMs: number): void {
    if (nowMs >= this.#prefixUntilMs || status !== this.#prefixStatus || reason !== this.#prefixReason) {
      const wallMs = Date.now();
      const date = new Date(wallMs).toUTCString();
      const text = reason === "" ? statusText(status) : reason;
      this.#prefix = latin1(`HTTP/1.1 ${status} ${text}\r\ndate: ${date}\r\n`);
      this.#textPrefix = concat(this.#prefix, TEXT_PLAIN, CONTENT_LENGTH);
      this.#closeTextPrefix = concat(this.#prefix, TEXT_PLAIN, CLOSE, CONTENT_LENGTH);
      this.#keepAliveTextPrefix = concat(this.#prefix, TEXT_PLAIN, KEEP_ALIVE, CONTENT_LENGTH);
      this.#prefixStatus = status;
      this.#prefixReason = reason;
      this.#prefixUntilMs = nowMs + 1000 - wallMs % 1000;
    }
  }

  #encodeFields(headers: HeadersInit): FieldLines {
    fieldLines.byteLength = 0;
    fieldLines.hasContentType = false;
    if (headers instanceof Headers || Array.isArray(headers)) {
      for (const [name, value] of headers) this.#addField(name, value);
    } else if (Symbol.iterator in headers) {
      for (const [name, value] of headers as Iterable<[string, string]>) this.#addField(name, value);
    } else {
      for (const name in headers) if (Object.hasOwn(headers, name)) this.#addField(name, headers[name]);
    }
    return fieldLines;
  }

  #addField(name: string, value: string): void {
    const key = `${name}\n${value}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = encodeLine(name, value);
      if (this.#lines.size >= LINES_KEPT_MAX) this.#lines.clear();
      this.#lines.set(key, line);
    }
    if (line.byteLength === 0) return;
    if (line.byteLength > 12 && name.length === 12 && name.toLowerCase() === "content-type") {
      fieldLines.hasContentType = true;
    }
    const end = fieldLines.byteLength + line.byteLength;
    if (end > fieldLines.bytes.byteLength) {
      const larger = new Uint8Array(2 * end);
      larger.set(fieldLines.bytes.subarray(0, fieldLines.byteLength));
      fieldLines.bytes = larger;
    }
    fieldLines.bytes.set(line, fieldLines.byteLength);
    fieldLines.byteLength = end;
  }
}

interface FieldLines {
  bytes: Uint8Array;
  byteLength: number;
  hasContentType: boolean;
}

/** The encoded fields of the present response; overwritten by the next. */
const fieldLines: FieldLines = { bytes: new Uint8Array(1024), byteLength: 0, hasContentType: false };
const NO_LINES: FieldLines = { bytes: new Uint8Array(0), byteLength: 0, hasContentType: false };

/**
 * `name: value\r\n`; empty for the fields that only the server sets.
 *
 * @throws {TypeError} when they could be read as more than one field
 */
function encodeLine(name: string, value: string): Uint8Array {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    throw new TypeError(`write the response: "${name}" is not a header field name`);
  }
  const text = String(value);
  if (/[\0\r\n]|[^\0-\xff]/.test(text)) {
    throw new TypeError(
      `write the response: the value of "${name}" has a character that may not stand there`,
    );
  }
  return SERVER_FIELDS.has(name.toLowerCase()) ? new Uint8Array(0) : latin1(`${name}: ${text}\r\n`);
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

function put(bytes: Uint8Array, at: number, from: Uint8Array, byteLength: number): number {
  if (byteLength === from.byteLength) bytes.set(from, at);
  else bytes.set(from.subarray(0, byteLength), at);
  return at + byteLength;
}

function writeConnection(bytes: Uint8Array, at: number, context: ResponseContext): number {
  if (!context.keepAlive) return put(bytes, at, CLOSE, CLOSE.byteLength);
  return context.http11 ? at : put(bytes, at, KEEP_ALIVE, KEEP_ALIVE.byteLength);
}

function writeLength(bytes: Uint8Array, from: number, byteLength: number): number {
  let at = put(bytes, from, CONTENT_LENGTH, CONTENT_LENGTH.byteLength);
  const text = String(byteLength);
  for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
  bytes[at++] = CR;
  bytes[at++] = LF;
  return at;
}

function endHead(bytes: Uint8Array, at: number): number {
  bytes[at] = CR;
  bytes[at + 1] = LF;
  return at + 2;
}

/** Length, end of head and body of a text; the length precedes the text but is known only after encoding it. */
function writeText(bytes: Uint8Array, from: number, text: string, head: boolean): number {
  const textAt = from + CONTENT_LENGTH.byteLength + LENGTH_AND_END_BYTES;
  const { written } = encoder.encodeInto(text, bytes.subarray(textAt));
  const start = endHead(bytes, writeLength(bytes, from, written));
  if (head) return start;
  bytes.copyWithin(start, textAt, textAt + written);
  return start + written;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) at = put(whole, at, part, part.byteLength);
  return whole;
}

/** Statuses whose responses must not announce a length (RFC 9110, 8.6), or have one by definition. */
function hasNoLength(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}
