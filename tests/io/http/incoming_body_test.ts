import { assertEquals, assertStrictEquals } from "@std/assert";
import { CountedDecoder } from "../../../src/io/http/counted_decoder.ts";
import { ChunkedDecoder } from "../../../src/io/http/chunked_decoder.ts";
import { IncomingBody } from "../../../src/io/http/incoming_body.ts";
import { HTTP_LIMITS, type HttpLimits } from "../../../src/io/http/limits.ts";
import { BODY_BUFFER_BYTES } from "../../../src/io/http/request_body.ts";
import { latin1Bytes, letters } from "../../support/http_bytes.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const WATCHDOG_MS = 10_000;

class Owner {
  readonly calls: string[] = [];
  onBodyWanted(): void {
    this.calls.push("wanted");
  }
  onBodyFull(): void {
    this.calls.push("full");
  }
  onBodyDropped(): void {
    this.calls.push("dropped");
  }
}

function make(length: number | "chunked", limits: HttpLimits = {}, expectsContinue = false) {
  const owner = new Owner();
  const decoder = length === "chunked" ? new ChunkedDecoder() : new CountedDecoder(length);
  const incoming = new IncomingBody(decoder, expectsContinue, { ...HTTP_LIMITS, ...limits }, owner);
  /** Feeds a text, with bytes around it that are not the body's to look at. */
  const take = (text: string, answered = false) =>
    incoming.take(latin1Bytes(`0${text}0`), 1, 1 + text.length, answered) - 1;
  return { owner, incoming, take };
}

Deno.test("IncomingBody.take() passes a counted body on and stops at its end", async () => {
  const { incoming, take, owner } = make(5);
  const read = incoming.body.bytes();
  assertEquals([take("ab"), incoming.state], [2, "open"]);
  assertEquals([take("cdeGET /"), incoming.state], [3, "ended"]);
  assertStrictEquals(new TextDecoder().decode(await withWatchdog(WATCHDOG_MS, () => read)), "abcde");
  assertEquals(owner.calls, ["wanted"]);
});

Deno.test("IncomingBody.take() passes a chunked body on and stops at its end", async () => {
  const { incoming, take } = make("chunked");
  assertStrictEquals(take("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\nGET /"), 20);
  assertStrictEquals(incoming.state, "ended");
  assertStrictEquals(new TextDecoder().decode(await incoming.body.bytes()), "abcde");
});

Deno.test("IncomingBody.take() finds malformed chunks, and keeps what came before them", () => {
  const { incoming, take } = make("chunked");
  take("2\r\nabc");
  assertStrictEquals(incoming.state, "malformed");
});

Deno.test("IncomingBody.take() goes up to bodyBytesMax and no byte further", () => {
  for (const [length, state] of [[10, "ended"], [11, "too-long"]] as const) {
    const { incoming, take } = make("chunked", { bodyBytesMax: 10 });
    take(`5\r\n${letters(5)}\r\n${(length - 5).toString(16)}\r\n${letters(length - 5)}\r\n0\r\n\r\n`);
    assertStrictEquals(incoming.state, state);
  }
});

Deno.test("IncomingBody.take() gives up a body that nobody reads when the request has been answered", () => {
  for (const length of [100, "chunked"] as const) {
    const { incoming, take } = make(length, { discardBytesMax: 10 });
    const piece = (bytes: number) => length === 100 ? letters(bytes) : `${bytes}\r\n${letters(bytes)}\r\n`;
    take(piece(9));
    assertStrictEquals(incoming.discardUnread(), true);
    take(piece(1), true);
    assertStrictEquals(incoming.state, "open");
    take(piece(1), true);
    assertStrictEquals(incoming.state, "unwanted");
  }
});

Deno.test("IncomingBody.take() goes on for a handler that reads on behind its answer", async () => {
  const { incoming, take } = make(100, { discardBytesMax: 10 });
  const read = incoming.body.bytes();
  take(letters(50));
  assertStrictEquals(incoming.discardUnread(), false);
  take(letters(50), true);
  assertStrictEquals(incoming.state, "ended");
  assertStrictEquals((await withWatchdog(WATCHDOG_MS, () => read)).byteLength, 100);
});

Deno.test("IncomingBody.tooLongToDiscard says whether more is announced than may be dropped", () => {
  const { incoming, take } = make(100, { discardBytesMax: 60 });
  assertStrictEquals(incoming.tooLongToDiscard, true);
  take(letters(39));
  assertStrictEquals(incoming.tooLongToDiscard, true);
  take("a");
  assertStrictEquals(incoming.tooLongToDiscard, false);
  assertStrictEquals(make("chunked", { discardBytesMax: 1 }).incoming.tooLongToDiscard, false);
});

Deno.test("IncomingBody tells its owner when enough waits to be read", () => {
  const { owner, take } = make(2 * BODY_BUFFER_BYTES);
  take(letters(BODY_BUFFER_BYTES - 1));
  assertEquals(owner.calls, []);
  take("a");
  assertEquals(owner.calls, ["full"]);
});

Deno.test("IncomingBody holds nothing up for a body that is all in", () => {
  const size = BODY_BUFFER_BYTES.toString(16);
  for (const length of [BODY_BUFFER_BYTES, 2 * BODY_BUFFER_BYTES, "chunked"] as const) {
    const { owner, take, incoming } = make(length);
    take(length === "chunked" ? `${size}\r\n${letters(BODY_BUFFER_BYTES)}\r\n0\r\n\r\n` : letters(length));
    assertStrictEquals(incoming.state, "ended");
    assertEquals(owner.calls, []);
  }
});

Deno.test("IncomingBody tells its owner when whoever reads gives up", async () => {
  const { owner, take, incoming } = make(100);
  take(letters(50));
  await incoming.body.stream.cancel();
  assertEquals(owner.calls, ["dropped"]);
});

Deno.test("IncomingBody.expectsContinue holds until something has come", () => {
  const { incoming, take } = make(5, {}, true);
  assertStrictEquals(incoming.expectsContinue, true);
  take("a");
  assertStrictEquals(incoming.expectsContinue, false);
});
