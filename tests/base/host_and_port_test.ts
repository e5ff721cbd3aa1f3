import assert from "node:assert/strict";
import { formatAddress } from "../../src/base/mod.ts";

Deno.test("formatAddress() puts brackets around IPv6 alone", () => {
  assert.equal(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
  assert.equal(formatAddress({ hostname: "127.0.0.1", port: 0 }), "127.0.0.1:0");
  assert.equal(formatAddress({ hostname: "host", port: 65_535 }), "host:65535");
});
