import { Buffer } from "node:buffer";
import { DefaultDeserializer, serialize } from "node:v8";
import { refusalOf } from "./refusal.ts";
import { readShortText, SHORT_TEXT_BYTES_MAX, writeShortText } from "./short_text.ts";

/**
 * Arguments and results as bytes. Each value begins at a multiple of 8:
 *
 * ```text
 *   0        4        8
 *   ├────────┼────────┼──────────────┬─ ─ ─ ─┐
 *   │  kind  │ length │ length bytes │ to 8  │    KIND.number: 8 bytes, a double; KIND.bytes: the bytes; KIND.text: UTF-8
 *   └────────┴────────┴──────────────┴─ ─ ─ ─┘    KIND.structured: V8's structured clone; the others: no bytes
 * ```
 *
 * What is no number, text, bytes, truth value or nothing goes through V8's own serialiser; so does text
 * with lone surrogates, which UTF-8 cannot express.
 */
export const KIND = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  text: 5,
  bytes: 6,
  structured: 7,
  signal: 8,
} as const;

/** Bytes before a value's own. */
const VALUE_HEADER_BYTES = 8;
const BYTES_PER_UNIT_MAX = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Stands for an `AbortSignal` among the arguments, on its way to who runs the task. */
export const SIGNAL_PLACE: unique symbol = Symbol("AbortSignal");

/** A value that V8 has serialised. */
class Structured {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Whether {@linkcode writeValue} takes `value` as it is. */
export function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return true;
    case "string":
      return value.isWellFormed();
    case "object":
      return value === null || isBytes(value);
    default:
      return false;
  }
}

/**
 * What {@linkcode writeValue} takes for `value`, which may be that already.
 *
 * @throws {TypeError} when it cannot travel
 */
export function portable(value: unknown): unknown {
  if (isPlain(value)) return value;
  switch (typeof value) {
    case "string":
    case "bigint":
      return new Structured(serialize(value));
    case "object":
      if (value instanceof Structured) return value;
      if (value instanceof AbortSignal) {
        throw new TypeError(
          "an AbortSignal, which cannot travel to another core or process except as an argument",
        );
      }
      return new Structured(serialized(value as object));
    default:
      throw new TypeError(`a ${typeof value}, which cannot travel to another core or process`);
  }
}

/**
 * The same for an argument, which may be a signal.
 *
 * @throws {TypeError} when it cannot travel
 */
export function portableArgument(value: unknown): unknown {
  return value instanceof AbortSignal ? SIGNAL_PLACE : portable(value);
}

/** What would arrive of `value`, which no getter changes any more; `undefined` when it cannot travel. */
export function asArriving(value: unknown): { readonly value: unknown } | undefined {
  try {
    const sent = portable(value);
    return { value: sent instanceof Structured ? deserialize(sent.bytes) : sent };
  } catch {
    return undefined;
  }
}

function serialized(value: object): Uint8Array {
  let refusal: string | undefined;
  let bytes: Uint8Array | undefined;
  try {
    refusal = refusalOf(value);
    if (refusal === undefined) bytes = serialize(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`something that cannot travel to another core or process: ${reason}`, {
      cause: error,
    });
  }
  if (bytes === undefined) throw new TypeError(`${refusal}, which cannot travel to another core or process`);
  return bytes;
}

/** Subclasses, as `Buffer` is one, are left to V8, which knows how to make them again; and so is memory that was transferred. */
function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && Object.getPrototypeOf(value) === Uint8Array.prototype &&
    (value.length > 0 || !Reflect.get(value.buffer, "detached"));
}

/** Bytes that {@linkcode writeValue} takes at most, without looking at every character. */
export function valueBytesMax(value: unknown): number {
  if (typeof value === "number") return VALUE_HEADER_BYTES + 8;
  if (typeof value === "string") return padded(VALUE_HEADER_BYTES + value.length * BYTES_PER_UNIT_MAX);
  if (value instanceof Uint8Array) return padded(VALUE_HEADER_BYTES + value.length);
  if (value instanceof Structured) return padded(VALUE_HEADER_BYTES + value.bytes.length);
  return VALUE_HEADER_BYTES;
}

/** Bytes that {@linkcode writeValue} takes. */
export function valueBytes(value: unknown): number {
  return typeof value === "string"
    ? padded(VALUE_HEADER_BYTES + Buffer.byteLength(value))
    : valueBytesMax(value);
}

/** Writes a plain value, or what {@linkcode portable} gave, at byte `at`; returns where the next value goes. */
export function writeValue(view: DataView, at: number, value: unknown): number {
  if (typeof value === "number") {
    view.setInt32(at, KIND.number, true);
    view.setInt32(at + 4, 8, true);
    view.setFloat64(at + 8, value, true);
    return at + 16;
  }
  if (typeof value === "string") {
    const start = at + VALUE_HEADER_BYTES;
    if (writeShortText(view, start, value)) return writeHeader(view, at, KIND.text, value.length);
    const room = Math.min(value.length * BYTES_PER_UNIT_MAX, view.byteLength - start);
    return writeHeader(view, at, KIND.text, encoder.encodeInto(value, bytesOf(view, start, room)).written);
  }
  if (value instanceof Uint8Array) return writeBytes(view, at, KIND.bytes, value);
  if (value instanceof Structured) return writeBytes(view, at, KIND.structured, value.bytes);
  return writeHeader(view, at, emptyKind(value), 0);
}

function emptyKind(value: unknown): number {
  if (value === undefined) return KIND.undefined;
  if (value === null) return KIND.null;
  if (value === SIGNAL_PLACE) return KIND.signal;
  return value === true ? KIND.true : KIND.false;
}

function writeBytes(view: DataView, at: number, kind: number, bytes: Uint8Array): number {
  bytesOf(view, at + VALUE_HEADER_BYTES, bytes.length).set(bytes);
  return writeHeader(view, at, kind, bytes.length);
}

function writeHeader(view: DataView, at: number, kind: number, byteLength: number): number {
  view.setInt32(at, kind, true);
  view.setInt32(at + 4, byteLength, true);
  return padded(at + VALUE_HEADER_BYTES + byteLength);
}

/** Reads values one behind the other; each is a copy. */
export class ValueReader {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;

  /** Starts at byte `at` of `view`. */
  begin(view: DataView, at: number): void {
    this.#view = view;
    this.#at = at;
  }

  /** The next value; {@linkcode SIGNAL_PLACE} for a signal. */
  read(): unknown {
    const view = this.#view;
    const at = this.#at;
    const kind = view.getInt32(at, true);
    if (kind === KIND.number) {
      this.#at = at + 16;
      return view.getFloat64(at + 8, true);
    }
    const byteLength = view.getInt32(at + 4, true);
    this.#at = padded(at + VALUE_HEADER_BYTES + byteLength);
    switch (kind) {
      case KIND.undefined:
        return undefined;
      case KIND.null:
        return null;
      case KIND.false:
        return false;
      case KIND.true:
        return true;
      case KIND.signal:
        return SIGNAL_PLACE;
    }
    if (kind === KIND.text && byteLength <= SHORT_TEXT_BYTES_MAX) {
      const text = readShortText(view, at + VALUE_HEADER_BYTES, byteLength);
      if (text !== undefined) return text;
    }
    const bytes = copyOf(view, at + VALUE_HEADER_BYTES, byteLength);
    if (kind === KIND.bytes) return bytes;
    return kind === KIND.text ? decoder.decode(bytes) : deserialize(bytes);
  }
}

/** What reads the bytes of a view within a value, and its type. */
interface ViewReader {
  _readHostObject(): ArrayBufferView<ArrayBuffer>;
}

/** As `v8.deserialize()`, but that makes every view one of the memory of the whole message, and keeps all of it for the least. */
class Deserializer extends DefaultDeserializer {
  _readHostObject(): ArrayBufferView<ArrayBuffer> {
    const read = (DefaultDeserializer.prototype as unknown as ViewReader)._readHostObject;
    const { buffer, byteOffset, byteLength, constructor } = read.call(this as unknown as ViewReader);
    const own = buffer.slice(byteOffset, byteOffset + byteLength);
    return constructor === Buffer ? Buffer.from(own) : Reflect.construct(constructor, [own]);
  }
}

function deserialize(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

function bytesOf(view: DataView, at: number, byteLength: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, byteLength);
}

/** Memory of its own: neither text decoders nor V8 take shared memory, and the ring's is overwritten. */
function copyOf(view: DataView, at: number, byteLength: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytesOf(view, at, byteLength));
}

function padded(byteLength: number): number {
  return byteLength + 7 & ~7;
}
