/**
 * Bytes as numbers and text: a reader that checks every length before it believes it, a writer that grows up
 * to a limit. Big-endian, as networks have it.
 *
 * @module
 */
export { ByteReader } from "./byte_reader.ts";
export { BYTE_WRITER_LIMIT_BYTES_MAX, ByteWriter, type ByteWriterOptions } from "./byte_writer.ts";
export { ByteLimitError, MalformedBytesError } from "./errors.ts";
export { decodeUtf8, encodeUtf8Into, utf8ByteLength } from "./utf8.ts";
