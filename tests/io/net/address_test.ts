import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { formatAddress, parseAddress } from "../../../src/io/net/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";

const GOOD: [text: string, hostname: string, port: number][] = [
  ["127.0.0.1:8080", "127.0.0.1", 8080],
  ["localhost:0", "localhost", 0],
  ["a-b.example.org:65535", "a-b.example.org", 65_535],
  ["[::1]:443", "::1", 443],
  ["[::]:0", "::", 0],
  ["[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1],
  [":8080", "0.0.0.0", 8080],
  ["host:00080", "host", 80],
];

const BAD = [
  "",
  ":",
  "host",
  "host:",
  "host:http",
  "host:-1",
  "host:+1",
  "host:65536",
  "host:99999",
  "host:100000",
  "host:1.5",
  "host:0x10",
  "host:1e3",
  "host: 80",
  "host:80 ",
  " host:80",
  "ho st:80",
  "host\n:80",
  "host:80\n",
  "::1:80",
  "[::1]",
  "[::1]80",
  "[::1:80",
  "::1]:80",
  "[]:80",
  "[host]:80",
  "[[::1]]:80",
  "http://host:80",
  "host:80/",
  "host:80:81",
];

Deno.test("parseAddress() reads host:port, [ipv6]:port and :port", () => {
  for (const [text, hostname, port] of GOOD) assertEquals(parseAddress(text), { hostname, port }, text);
});

Deno.test("parseAddress() throws a TypeError that names what is not an address", () => {
  for (const text of BAD) {
    assertThrowsMatching(() => parseAddress(text), (error) => {
      assert(error instanceof TypeError, `"${text}": ${error}`);
      assert(error.message.startsWith(`address "${text}": expected `), error.message);
      return true;
    }, `"${text}" is taken for an address`);
  }
});

Deno.test("parseAddress() does not slow down on long input", () => {
  for (const text of ["[".repeat(50_000), "1".repeat(200_000), `[${":".repeat(100_000)}`]) {
    assertThrows(() => parseAddress(text), TypeError);
  }
});

Deno.test("formatAddress() is what parseAddress() reads", () => {
  for (const [, hostname, port] of GOOD) {
    assertEquals(parseAddress(formatAddress({ hostname, port })), { hostname, port });
  }
  assertStrictEquals(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
  assertStrictEquals(formatAddress({ hostname: "host", port: 80 }), "host:80");
});

for (const seed of testSeeds(1)) {
  Deno.test("parseAddress() gives an address or a TypeError, whatever the text", () =>
    withSeed(seed, () => {
      const random = new SeededRandom(seed);
      const letters = "[]:.0159afAF-/ \n\t%é";
      for (let round = 0; round < 20_000; round++) {
        const length = random.below(16);
        const text = Array.from({ length }, () => letters[random.below(letters.length)]).join("");
        try {
          const { hostname, port } = parseAddress(text);
          assert(hostname.length > 0 && port >= 0 && port <= 65_535, JSON.stringify(text));
          assertEquals(parseAddress(formatAddress({ hostname, port })), { hostname, port });
        } catch (error) {
          assert(error instanceof TypeError, `${JSON.stringify(text)}: ${error}`);
        }
      }
    }));
}
