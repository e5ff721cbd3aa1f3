import { valueBytes, valueBytesMax, writeValue } from "../value/mod.ts";

/**
 * What two sides say to each other, one message of a {@linkcode Transport} each:
 *
 * ```text
 *   0               4        8        12       16
 *   ├───────┬───────┼────────┼────────┼────────┼─ ─ ─
 *   │ kind  │ count │  call  │  task  │   0    │ `count` values, as src/base/value/value_codec.ts has them
 *   └───────┴───────┴────────┴────────┴────────┴─ ─ ─
 *     16 bits each
 *   ├───────────────┼────────┼────────┼────────┼─ ─ ─
 *   │  FRAME.part   │ length │   0    │   0    │ the next bytes of a frame of `length` bytes, too long for one message
 *   └───────────────┴────────┴────────┴────────┴─ ─ ─
 * ```
 *
 * `call` is the caller's number of a call, free again when its answer has arrived; `task` is what is called, where tasks have numbers. All numbers
 * are little endian; a frame's length is a multiple of 8.
 */
export const FRAME = {
  /** A call of `task`: its arguments. */
  call: 1,
  /** What a task has returned: one value. */
  result: 2,
  /** What it has thrown: one value, a `PortableThrown`. */
  error: 3,
  /** Nobody waits for a call any more: why, as a `PortableThrown`. */
  cancel: 4,
  part: 5,
  /** A message of the program's own: one value. */
  message: 6,
  /** The sender takes no call any more. */
  finishing: 7,
  /** The sender makes no call any more: the receiver finishes what it has, and closes. */
  shutdown: 8,
} as const;

/** Bytes before the values. */
export const FRAME_HEADER_BYTES = 16;
/** Bytes of a frame at most: 256 MiB. */
export const FRAME_BYTES_MAX: number = 256 * 2 ** 20;
/** Values of a frame at most: what its header can say. */
export const FRAME_VALUES_MAX = 65_535;
const AT = { kind: 0, call: 4, task: 8, zero: 12 } as const;

/** Bytes that a frame with these values takes at most, without looking at every character of them. */
export function frameBytesMax(values: readonly unknown[]): number {
  let byteLength = FRAME_HEADER_BYTES;
  for (const value of values) byteLength += valueBytesMax(value);
  return byteLength;
}

/** Bytes that a frame with these values takes. */
export function frameBytes(values: readonly unknown[]): number {
  let byteLength = FRAME_HEADER_BYTES;
  for (const value of values) byteLength += valueBytes(value);
  return byteLength;
}

/** Writes a frame of values as `portable()` gives them at byte `at`; returns where it ends. */
export function writeFrame(
  view: DataView,
  at: number,
  kind: number,
  call: number,
  task: number,
  values: readonly unknown[],
): number {
  writeHeader(view, at, kind | values.length << 16, call, task);
  let end = at + FRAME_HEADER_BYTES;
  for (const value of values) end = writeValue(view, end, value);
  return end;
}

/** A frame as bytes of its own. */
export function encodeFrame(
  kind: number,
  call: number,
  task: number,
  values: readonly unknown[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frameBytes(values));
  writeFrame(new DataView(bytes.buffer), 0, kind, call, task, values);
  return bytes;
}

/** Writes what is before a part of a frame of `byteLength` bytes. */
export function writePartHeader(view: DataView, at: number, byteLength: number): void {
  writeHeader(view, at, FRAME.part, byteLength, 0);
}

function writeHeader(view: DataView, at: number, kindAndCount: number, call: number, task: number): void {
  view.setInt32(at + AT.kind, kindAndCount, true);
  view.setInt32(at + AT.call, call, true);
  view.setInt32(at + AT.task, task, true);
  view.setInt32(at + AT.zero, 0, true);
}

/** The kind of a frame, and its count above the 16th bit. */
export function kindAndCountOf(view: DataView, at: number): number {
  return view.getInt32(at + AT.kind, true);
}

/** The kind of the frame at byte `at`. */
export function kindOf(view: DataView, at: number): number {
  return kindAndCountOf(view, at) & 0xffff;
}

/** Its call. */
export function callOf(view: DataView, at: number): number {
  return view.getInt32(at + AT.call, true);
}

/** Its task. */
export function taskOf(view: DataView, at: number): number {
  return view.getInt32(at + AT.task, true);
}
