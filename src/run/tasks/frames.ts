import { portable, valueBytes, valueBytesMax, ValueReader, writeValue } from "../../base/value/mod.ts";

/**
 * What two processes say to each other, one message of a ring or of a stream each:
 *
 * ```text
 *   0               4        8                16
 *   ├───────┬───────┼────────┼────────────────┼─ ─ ─
 *   │ kind  │ count │  call  │       0        │ `count` values, as src/base/value/value_codec.ts has them
 *   └───────┴───────┴────────┴────────────────┴─ ─ ─
 *     16 bits each
 * ```
 *
 * `call` is the caller's number of a call, free again when its answer is there; all numbers are little endian.
 */
export const FRAME = {
  /** A message of the program's own: one value. */
  message: 1,
  /** A task: its name, which attempt it is, and its arguments. */
  task: 2,
  /** What a task has given: one value. */
  response: 3,
  /** What it has thrown: one value, a `PortableThrown`. */
  error: 4,
  /** Nobody waits for a task any more: why, as a `PortableThrown`. */
  cancel: 5,
  /** The sender takes no task any more. */
  finishing: 6,
  /** The sender sends no task any more: the receiver finishes what it has, and closes. */
  shutdown: 7,
  /** A part of a frame that is longer than messages of the ring may be; `call` is the length of all of it. */
  part: 8,
} as const;

/** Bytes before the values. */
export const FRAME_HEADER_BYTES = 16;
/** Bytes of a frame at most: 256 MiB. */
export const FRAME_BYTES_MAX: number = 256 * 2 ** 20;
const AT = { kind: 0, count: 2, call: 4 } as const;
/** Values of a frame: what its header can say. */
const VALUES_MAX = 65_535;

/** A frame that is to be sent. */
export interface Frame {
  readonly kind: number;
  readonly call: number;
  /** As `portable()` gives them. */
  readonly values: readonly unknown[];
}

/**
 * A frame of these values.
 *
 * @throws {TypeError} when one of them cannot travel
 * @throws {RangeError} when there are too many, or the frame would be too long
 */
export function frameOf(kind: number, call: number, values: readonly unknown[]): Frame {
  if (values.length > VALUES_MAX) {
    throw new RangeError(`${values.length} values, expected at most ${VALUES_MAX}`);
  }
  const frame = { kind, call, values: values.map(portable) };
  if (frameBytesMax(frame) <= FRAME_BYTES_MAX) return frame;
  const byteLength = frameBytes(frame);
  if (byteLength > FRAME_BYTES_MAX) {
    throw new RangeError(`it takes ${byteLength} bytes, expected at most ${FRAME_BYTES_MAX}`);
  }
  return frame;
}

/** Bytes that a frame takes at most, without looking at every character of it. */
export function frameBytesMax({ values }: Frame): number {
  let byteLength = FRAME_HEADER_BYTES;
  for (const value of values) byteLength += valueBytesMax(value);
  return byteLength;
}

/** Bytes that a frame takes. */
export function frameBytes({ values }: Frame): number {
  let byteLength = FRAME_HEADER_BYTES;
  for (const value of values) byteLength += valueBytes(value);
  return byteLength;
}

/** Writes a frame at byte `at`, a multiple of 8; returns where it ends. */
export function writeFrame(view: DataView, at: number, { kind, call, values }: Frame): number {
  writeHeader(view, at, kind, values.length, call);
  let end = at + FRAME_HEADER_BYTES;
  for (const value of values) end = writeValue(view, end, value);
  return end;
}

/** A frame as bytes of its own. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frameBytes(frame));
  writeFrame(new DataView(bytes.buffer), 0, frame);
  return bytes;
}

/** The header of a part of a frame of `byteLength` bytes. */
export function writePartHeader(view: DataView, at: number, byteLength: number): void {
  writeHeader(view, at, FRAME.part, 0, byteLength);
}

function writeHeader(view: DataView, at: number, kind: number, count: number, call: number): void {
  view.setUint16(at + AT.kind, kind, true);
  view.setUint16(at + AT.count, count, true);
  view.setUint32(at + AT.call, call, true);
  view.setUint32(at + 8, 0, true);
  view.setUint32(at + 12, 0, true);
}

/** The kind of the frame at byte `at`. */
export function kindOf(view: DataView, at: number): number {
  return view.getUint16(at + AT.kind, true);
}

/** Its call. */
export function callOf(view: DataView, at: number): number {
  return view.getUint32(at + AT.call, true);
}

const reader = new ValueReader();

/** Its values. */
export function valuesOf(view: DataView, at: number): unknown[] {
  const count = view.getUint16(at + AT.count, true);
  reader.begin(view, at + FRAME_HEADER_BYTES);
  const values = new Array<unknown>(count);
  for (let index = 0; index < count; index++) values[index] = reader.read();
  return values;
}
