import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  decodeSocketAddress,
  encodeSocketAddress,
  formatIp,
  parseIp,
  SOCKET_ADDRESS_BYTES_MAX,
  type SocketAddress,
  UNIX_PATH_BYTES_MAX,
} from "../../ffi/mod.ts";

function encoded(address: SocketAddress): Uint8Array {
  // Not zeros: every byte that counts has to be written.
  const out = new Uint8Array(SOCKET_ADDRESS_BYTES_MAX).fill(0xaa);
  return out.subarray(0, encodeSocketAddress(address, out));
}

Deno.test("encodeSocketAddress() writes what the kernel expects", () => {
  // As a C program sees them: struct sockaddr_in, sockaddr_in6 and sockaddr_un.
  const ipv4 = [2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
  assertEquals([...encoded({ hostname: "127.0.0.1", port: 8080 })], ipv4);
  const ipv6 = [10, 0, 0, 80, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
  assertEquals([...encoded({ hostname: "2001:db8::1", port: 80 })], ipv6);
  assertEquals([...encoded({ path: "/a" })], [1, 0, 0x2f, 0x61, 0]);
});

Deno.test("decodeSocketAddress() reads back what encodeSocketAddress() wrote", () => {
  const addresses: SocketAddress[] = [
    { hostname: "0.0.0.0", port: 0 },
    { hostname: "255.255.255.255", port: 65_535 },
    { hostname: "::", port: 1 },
    { hostname: "fe80::1:2:3", port: 443 },
    { path: "/run/millrace.sock" },
    { path: `/${"ä".repeat((UNIX_PATH_BYTES_MAX - 1) / 2)}` },
  ];
  for (const address of addresses) assertEquals(decodeSocketAddress(encoded(address)), address);
});

Deno.test("decodeSocketAddress() has an empty path for what has no name", () => {
  assertEquals(decodeSocketAddress(new Uint8Array([1, 0])), { path: "" });
  assertEquals(decodeSocketAddress(new Uint8Array()), { path: "" });
  assertEquals(decodeSocketAddress(new Uint8Array([0, 0, 1, 2])), { path: "" });
});

Deno.test("encodeSocketAddress() refuses what is no address", () => {
  for (
    const address of [
      { hostname: "localhost", port: 1 },
      { hostname: "", port: 1 },
      { hostname: "127.0.0.1", port: 65_536 },
      { hostname: "127.0.0.1", port: -1 },
      { hostname: "127.0.0.1", port: 1.5 },
      { hostname: "127.0.0.1", port: NaN },
      { path: "" },
      { path: "/with\0zero" },
      { path: "x".repeat(UNIX_PATH_BYTES_MAX + 1) },
      { path: "ä".repeat(UNIX_PATH_BYTES_MAX / 2 + 1) },
    ]
  ) {
    assertThrows(() => encoded(address), TypeError, undefined, JSON.stringify(address));
  }
});

Deno.test("formatIp() writes IPv6 as RFC 5952 wants it", () => {
  const canonical: readonly [given: string, expected: string][] = [
    // Section 4.1: leading zeros.
    ["2001:0db8::0001", "2001:db8::1"],
    // Section 4.2.1: shorten as much as possible.
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    // Section 4.2.2: one group of zeros is not shortened.
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    // Section 4.2.3: the longest run, and the first of equals.
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    // Section 4.3: lower case.
    ["2001:DB8::ABCD", "2001:db8::abcd"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["[::1]", "::1"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ];
  for (const [given, expected] of canonical) {
    const bytes = parseIp(given);
    assert(bytes !== undefined, given);
    assertStrictEquals(formatIp(bytes), expected);
    assertEquals(parseIp(expected), bytes);
  }
});

Deno.test("parseIp() knows what is no address", () => {
  const wrong = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "-1.2.3.4",
    "1.2.3.",
    "0x7f.0.0.1",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "::g",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "[::1",
    "::1]",
    "[1.2.3.4]",
    "fe80::1%eth0",
    "localhost",
  ];
  for (const text of wrong) assertStrictEquals(parseIp(text), undefined, text);
});

Deno.test("parseIp() and formatIp() agree on random addresses", () => {
  for (let round = 0; round < 2000; round++) {
    const bytes = crypto.getRandomValues(new Uint8Array(round % 2 === 0 ? 4 : 16));
    // Runs of zeros are what can go wrong.
    for (let at = 0; at < bytes.length; at += 2) {
      if (Math.random() < 0.5) bytes.fill(0, at, at + 2);
    }
    assertEquals(parseIp(formatIp(bytes)), bytes, String(bytes));
  }
});
