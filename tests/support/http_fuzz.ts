import type { SeededRandom } from "../../src/base/mod.ts";
import { chunked } from "./http_bytes.ts";

/** Pieces out of which messages are made that a parser has an opinion about. */
const TOKENS: readonly string[] = [
  ..."GET |POST |HEAD |OPTIONS |PUT |CONNECT |get |/|/a?b|*|http://a|http://[::1]:1/| HTTP/1.1\r\n| HTTP/1.0\r\n"
    .split("|"),
  ..." HTTP/2.0\r\n| HTTP/1.2\r\n| http/1.1\r\n| HTTP/1.1|HTTP/|1|.|\r\n|\r\n\r\n|\r|\n| |\t|:|,|;|#|@|[|]|\0|\x7f|\xff|\x0b"
    .split("|"),
  ..."Host: a\r\n|Host: b:80\r\n|Host:|Host : a\r\n|host: [::1]\r\n|Content-Length: 5\r\n|Content-Length: |5|+5|0x5"
    .split("|"),
  ..."Transfer-Encoding: chunked\r\n|Transfer-Encoding: |chunked|gzip, chunked|identity|Connection: close\r\n"
    .split("|"),
  ..."Connection: keep-alive\r\n|Connection: |close|Expect: 100-continue\r\n|Expect: x\r\n|X: y\r\n|X:|x-y: z \r\n| fold\r\n"
    .split("|"),
  ..."5\r\nhello\r\n|0\r\n\r\n|999999999999999|18446744073709551616|A".split("|"),
];

/** Requests that are right, for mutation. */
const VALID: readonly string[] = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nAccept: */*\r\nUser-Agent: fuzz\r\n\r\n",
  "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
  "GET http://b.example/x HTTP/1.1\r\nHost: b.example\r\nCookie: a=b; c=d\r\n\r\n",
  "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  `POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", "world")}`,
  "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
  "DELETE /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: \t y \t\r\nX:\r\n\r\n",
  "\r\nGET / HTTP/1.1\r\nhost:a\r\n\r\nGET /2 HTTP/1.1\r\nhost:a\r\n\r\n",
];

/** One of `items`. */
export function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[random.below(items.length)];
}

/** A random text of single bytes. */
export function randomBytesText(random: SeededRandom, lengthMax: number): string {
  const length = random.below(lengthMax + 1);
  return Array.from({ length }, () => String.fromCharCode(random.below(256))).join("");
}

/** A right request, or several, with up to `countMax` small damages. */
export function mutatedRequest(random: SeededRandom, countMax = 4): string {
  let text = pick(random, VALID);
  if (random.below(3) === 0) text += pick(random, VALID);
  for (let count = random.below(countMax + 1); count > 0; count--) text = mutate(random, text);
  return text;
}

/** Tokens in any order, now and then behind the beginning of a right request. */
export function tokenSoup(random: SeededRandom): string {
  let text = random.below(2) === 0 ? "" : pick(random, VALID).slice(0, 1 + random.below(40));
  for (let count = random.below(24); count > 0; count--) text += pick(random, TOKENS);
  return random.below(2) === 0 ? text : `${text}\r\n\r\n`;
}

function mutate(random: SeededRandom, text: string): string {
  const at = random.below(text.length + 1);
  const [before, behind] = [text.slice(0, at), text.slice(at)];
  const [from, to] = [random.below(text.length + 1), random.below(text.length + 1)].sort((a, b) => a - b);
  switch (random.below(7)) {
    case 0:
      return before + pick(random, TOKENS) + behind;
    case 1:
      return before + String.fromCharCode(random.below(256)) + behind.slice(1);
    case 2:
      return before + String.fromCharCode(random.below(256)) + behind;
    case 3:
      return text.slice(0, from) + text.slice(to);
    case 4:
      return text.slice(0, to) + text.slice(from);
    case 5:
      return text.replace(pick(random, [" ", "\r\n", ":", "\r", "\n", "a", "5"]), pick(random, TOKENS));
    default:
      return before;
  }
}
