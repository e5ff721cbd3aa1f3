import { assertStrictEquals } from "@std/assert";
import * as layouts from "../../ffi/layouts.ts";
import { native } from "../../ffi/mod.ts";
import { nativeTest } from "../support/driver_native.ts";

/** What `hash()` of native/src/layouts.rs does, over the names and numbers of this side: FNV-1a. */
function hashOfLayouts(): number {
  let hash = 0x811c9dc5;
  const add = (bytes: Uint8Array) => {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  };
  for (const [name, fields] of layoutsInOrder()) {
    add(new TextEncoder().encode(name));
    for (const [field, value] of Object.entries(fields)) {
      add(new TextEncoder().encode(rustName(field)));
      add(new Uint8Array(new BigInt64Array([BigInt(value)]).buffer));
    }
  }
  return hash;
}

/** In the order of the file: a module's own names are sorted. */
function layoutsInOrder(): [string, Record<string, number>][] {
  const source = Deno.readTextFileSync(new URL("../../ffi/layouts.ts", import.meta.url));
  const names = Array.from(source.matchAll(/^export const (\w+) = \{/gm), ([, name]) => name);
  return names.map((name) => [name, (layouts as unknown as Record<string, Record<string, number>>)[name]]);
}

/** `listenPid` as `LISTEN_PID`, `http11` as `HTTP_11`. */
function rustName(name: string): string {
  return name.replace(/[A-Z]|(?<=[a-z])\d+/g, (found) => `_${found}`).toUpperCase();
}

Deno.test("LAYOUT_HASH is the hash of what the file says", () => {
  assertStrictEquals(layoutsInOrder().length > 10, true);
  assertStrictEquals(hashOfLayouts(), layouts.LAYOUT_HASH);
});

nativeTest("millrace_layout_hash() is the hash that the file was printed with", () => {
  const hash = new Uint32Array(1);
  assertStrictEquals(native().millrace_layout_hash(hash), 0);
  assertStrictEquals(hash[0], layouts.LAYOUT_HASH);
});
