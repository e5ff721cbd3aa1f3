/** The native HTTP head parser; the layout of its result is documented in `src/io/http/request_head.ts`. */
import { check } from "./errno.ts";
import { native } from "./library.ts";

/** Parses pipelined request heads at the start of `bytes` into `out`; returns how many. */
export type HttpParse = (
  bytes: Uint8Array,
  byteLength: number,
  out: Int32Array,
  headerBytesMax: number,
  targetBytesMax: number,
) => number;

/**
 * The parser of the native library.
 *
 * @throws {Deno.errors.NotSupported} without the library
 */
export function nativeHttpParse(): HttpParse {
  const { millrace_http_parse } = native();
  return (bytes, byteLength, out, headerBytesMax, targetBytesMax) => {
    if (byteLength > bytes.byteLength) {
      throw new RangeError(`parse: byteLength is ${byteLength}, over the buffer`);
    }
    const count = millrace_http_parse(
      bytes as Uint8Array<ArrayBuffer>,
      byteLength,
      out as Int32Array<ArrayBuffer>,
      out.length,
      headerBytesMax,
      targetBytesMax,
    );
    return count >= 0 ? count : check(count, "parse an HTTP head");
  };
}
