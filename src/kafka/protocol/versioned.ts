import type { ByteReader, ByteWriter } from "../../base/bytes/mod.ts";
import type { Fields, InputOf, ValueOf } from "./definition/fields.ts";
import type { Message } from "./definition/message.ts";

/**
 * Writes a message after its version as an int16: keys and values of internal topics, and what consumers tell
 * each other.
 */
export function writeVersioned<Parts extends Fields>(
  writer: ByteWriter,
  message: Message<Parts>,
  value: InputOf<Parts>,
  version: number,
): void {
  writer.writeInt16(version);
  message.write(writer, value, version);
}

/**
 * Reads a version as an int16, and `message` in that version.
 *
 * @throws {MalformedBytesError} when the bytes are no such message
 * @throws {UnsupportedVersionError} when there is no such version
 */
export function readVersioned<Parts extends Fields>(
  reader: ByteReader,
  message: Message<Parts>,
): ValueOf<Parts> {
  return message.read(reader, reader.readInt16());
}

/**
 * Reads as {@linkcode readVersioned}, and a version that is too high as the highest that is known, with bytes
 * left over. Of what consumers tell each other a later version begins with all of an earlier one.
 */
export function readVersionedOrNewer<Parts extends Fields>(
  reader: ByteReader,
  message: Message<Parts>,
): ValueOf<Parts> {
  return message.read(reader, Math.min(reader.readInt16(), message.versions.max));
}
