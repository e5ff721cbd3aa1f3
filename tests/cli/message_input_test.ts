import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertRejectsMatching } from "../support/assertions.ts";
import { CommandError } from "../../src/cli/exit_codes.ts";
import { readFrames, readLines } from "../../src/cli/message_input.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    const piece = bytes.slice(at, at + length);
    yield piece;
    // Whoever keeps a view would see this.
    piece.fill(0xff);
  }
}

async function texts(messages: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: string[] = [];
  for await (const message of messages) all.push(decoder.decode(message));
  return all;
}

function framed(...messages: readonly string[]): Uint8Array {
  return new Uint8Array(messages.flatMap((message) => {
    const bytes = encoder.encode(message);
    return [0, 0, bytes.length >> 8, bytes.length & 0xff, ...bytes];
  }));
}

Deno.test("readLines() gives the same lines however the bytes are cut", async () => {
  const text = "one\n\ntwo é\r\n\nlast";
  for (let length = 1; length <= 20; length++) {
    const lines = await texts(readLines(inPieces(encoder.encode(text), length), 100));
    assertEquals(lines, ["one", "", "two é\r", "", "last"]);
  }
});

Deno.test("readLines() gives nothing behind the last end of a line", async () => {
  assertEquals(await texts(readLines(inPieces(encoder.encode("a\n"), 1), 10)), ["a"]);
  assertEquals(await texts(readLines(inPieces(encoder.encode("\n"), 1), 10)), [""]);
  assertEquals(await texts(readLines(inPieces(new Uint8Array(), 1), 10)), []);
});

Deno.test("readLines() refuses a line that is too long before it has read it", async () => {
  let read = 0;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield encoder.encode("12345678\n");
    for (;; read++) yield encoder.encode("123");
  };
  await assertRejectsMatching(() => texts(readLines(endless(), 8)), (error) => {
    assert(error instanceof CommandError);
    assertMatch(error.message, /^line 2: it has more than 8 bytes/);
    return true;
  });
  assert(read <= 3);
});

Deno.test("readFrames() gives the same frames however the bytes are cut", async () => {
  const messages = ["one", "", "with\nline", "é".repeat(200)];
  const bytes = framed(...messages);
  for (const length of [1, 2, 3, 4, 5, 7, 100, bytes.length]) {
    assertEquals(await texts(readFrames(inPieces(bytes, length), 400)), messages);
  }
  assertEquals(await texts(readFrames(inPieces(new Uint8Array(), 1), 1)), []);
});

Deno.test("readFrames() refuses a frame that is too long by its length", async () => {
  const bytes = new Uint8Array([...framed("abc"), 0xff, 0xff, 0xff, 0xff]);
  await assertRejectsMatching(() => texts(readFrames(inPieces(bytes, 3), 3)), {
    name: "CommandError",
    message: /^frame 2: it has 4294967295 bytes, expected at most 3/,
  });
});

Deno.test("readFrames() refuses an end within a frame", async () => {
  const cases: [bytes: number[], message: RegExp][] = [
    [[0, 0], /^frame 1: the input ends after 2 bytes of its length, expected 4$/],
    [[0, 0, 0, 2], /^frame 1: the input ends after 0 bytes of its content, expected 2$/],
    [[0, 0, 0, 2, 65], /^frame 1: the input ends after 1 bytes of its content, expected 2$/],
  ];
  for (const [bytes, message] of cases) {
    for (const length of [1, 5]) {
      await assertRejectsMatching(() => texts(readFrames(inPieces(new Uint8Array(bytes), length), 10)), {
        message,
      });
    }
  }
});
