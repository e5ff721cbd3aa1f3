import {
  CHUNK_OVERHEAD_BYTES_MAX,
  ChunkedDecoder,
  type ChunkedState,
} from "../../src/io/http/chunked_decoder.ts";
import { latin1Text } from "./http_bytes.ts";

/** What a decoder made of a text. */
export interface DecodedChunks {
  readonly result: "done" | "failed" | "incomplete";
  /** What was decoded before the end, or before the error. */
  readonly data: string;
  /** Where the body ends; 0 unless done. */
  readonly end: number;
}

/** Feeds `pieces` one by one. Each state that the decoder was left in is added to `states`. */
export function decodePieces(pieces: readonly Uint8Array[], states?: Set<ChunkedState>): DecodedChunks {
  const decoder = new ChunkedDecoder();
  let [data, end] = ["", 0];
  for (const piece of pieces) {
    // Bytes of another connection around it must not be looked at.
    const room = new Uint8Array(piece.byteLength + 6).fill(0x30);
    room.set(piece, 3);
    let at = 3;
    const limit = 3 + piece.byteLength;
    while (at < limit && decoder.state !== "done" && decoder.state !== "failed") {
      const next = decoder.next(room, at, limit);
      if (next <= at || next > limit) throw new Error(`next() went from ${at} to ${next} of ${limit}`);
      data += latin1Text(room.subarray(decoder.dataStart, decoder.dataStart + decoder.dataLength));
      at = next;
    }
    states?.add(decoder.state);
    end += at - 3;
    if (decoder.state === "done" || decoder.state === "failed") break;
  }
  const result = decoder.state === "done" || decoder.state === "failed" ? decoder.state : "incomplete";
  return { result, data, end: result === "done" ? end : 0 };
}

const INCOMPLETE = Symbol("incomplete");
const FAILED = Symbol("failed");
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Decodes a chunked body as the grammar reads (RFC 9112, 7.1), from a text that is all there: slow, and obviously right. */
export function decodeNaively(text: string): DecodedChunks {
  let [at, data, overhead] = [0, "", 0];
  const peek = (): string => {
    if (at >= text.length) throw INCOMPLETE;
    return text[at];
  };
  const expect = (wanted: string): void => {
    if (peek() !== wanted) throw FAILED;
    at++;
  };
  const lineRest = (): string => {
    let line = "";
    while (peek() !== "\r") {
      if (!/[\t\x20-\x7e\x80-\xff]/.test(peek()) || ++overhead > CHUNK_OVERHEAD_BYTES_MAX) throw FAILED;
      line += text[at++];
    }
    return line;
  };
  const crlf = (): void => {
    expect("\r");
    expect("\n");
  };
  const readSize = (): number => {
    let digits = "";
    while (/[0-9a-fA-F]/.test(peek())) {
      digits += text[at++];
      if (digits.length > 12) throw FAILED;
    }
    if (digits === "") throw FAILED;
    if (peek() === ";") {
      at++;
      lineRest();
    }
    crlf();
    return parseInt(digits, 16);
  };
  const readTrailers = (): void => {
    while (peek() !== "\r") {
      let name = "";
      while (peek() !== ":") {
        name += peek();
        if (!FIELD_NAME.test(name) || ++overhead > CHUNK_OVERHEAD_BYTES_MAX) throw FAILED;
        at++;
      }
      if (name === "") throw FAILED;
      lineRest();
      crlf();
    }
    crlf();
  };
  try {
    for (let size = readSize(); size > 0; size = readSize()) {
      const piece = text.slice(at, at + size);
      data += piece;
      at += piece.length;
      if (piece.length < size) throw INCOMPLETE;
      crlf();
    }
    readTrailers();
    return { result: "done", data, end: at };
  } catch (reason) {
    if (reason !== INCOMPLETE && reason !== FAILED) throw reason;
    return { result: reason === FAILED ? "failed" : "incomplete", data, end: 0 };
  }
}
