import { assertStrictEquals } from "@std/assert";
import { formatAddress } from "../../src/base/mod.ts";

Deno.test("formatAddress() puts brackets around IPv6 alone", () => {
  assertStrictEquals(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
  assertStrictEquals(formatAddress({ hostname: "127.0.0.1", port: 0 }), "127.0.0.1:0");
  assertStrictEquals(formatAddress({ hostname: "host", port: 65_535 }), "host:65535");
});
