/** Bytes of a text whose characters stand for one byte each (ISO 8859-1): raw messages in fixtures. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) throw new RangeError(`latin1Bytes: character ${index} is U+${code.toString(16)}`);
    bytes[index] = code;
  }
  return bytes;
}

/** One character for each byte. */
export function latin1Text(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}

/** `count` bytes of the letters a to z, so that a lost or moved byte shows and the text can be compared as a string. */
export function letters(count: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz";
  // A period that is prime to the sizes of buffers.
  let text = "";
  while (text.length < Math.min(count, 10_000)) text += alphabet + alphabet.slice(0, 11);
  return text.repeat(Math.ceil(count / text.length)).slice(0, count);
}

/** `data` as chunks of a chunked body, without the last chunk. */
export function chunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`;
}

/** A whole chunked body. */
export function chunked(...pieces: readonly string[]): string {
  return `${pieces.map(chunk).join("")}0\r\n\r\n`;
}
