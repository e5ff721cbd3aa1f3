import type { ByteReader, ByteWriter } from "../../../base/bytes/mod.ts";

/** How many bytes an identifier takes. */
export const UUID_BYTES = 16;

/** The identifier that means none. */
export const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA";

const TEXT_LENGTH = 22;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const digits = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)));

/**
 * 16 bytes as Kafka prints them: base64url without padding (RFC 4648, section 5). A text is a key of a `Map`.
 */
export function readUuid(reader: ByteReader): string {
  let text = "";
  // Five times three bytes as four digits; the last byte alone is two.
  for (let group = 0; group < 5; group++) {
    const high = reader.readUint8();
    const low = reader.readUint16();
    text += ALPHABET[high >> 2] + ALPHABET[(high & 3) << 4 | low >> 12] + ALPHABET[low >> 6 & 63] +
      ALPHABET[low & 63];
  }
  const last = reader.readUint8();
  return text + ALPHABET[last >> 2] + ALPHABET[(last & 3) << 4];
}

/** The 16 bytes of what {@linkcode readUuid} gives. @throws {RangeError} for any other text */
export function writeUuid(writer: ByteWriter, text: string): void {
  let isUuid = text.length === TEXT_LENGTH;
  for (let index = 0; isUuid && index < TEXT_LENGTH; index++) {
    const code = text.charCodeAt(index);
    isUuid = code < 128 && digits[code] >= 0;
  }
  const digit = (index: number) => digits[text.charCodeAt(index)];
  // The last digit carries two bits; the four below must be zero, or two texts would mean the same.
  if (!isUuid || (digit(TEXT_LENGTH - 1) & 15) !== 0) {
    throw new RangeError(`UUID: found "${text}", expected 22 digits of base64url that are 16 bytes`);
  }
  for (let index = 0; index < 20; index += 4) {
    writer.writeUint8(digit(index) << 2 | digit(index + 1) >> 4);
    writer.writeUint16((digit(index + 1) & 15) << 12 | digit(index + 2) << 6 | digit(index + 3));
  }
  writer.writeUint8(digit(20) << 2 | digit(21) >> 4);
}
