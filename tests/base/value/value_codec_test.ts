import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { Buffer } from "node:buffer";
import {
  isPlain,
  KIND,
  LOOK_COUNT_MAX,
  portable,
  portableArgument,
  SIGNAL_PLACE,
  valueBytes,
  valueBytesMax,
  ValueReader,
  writeValue,
} from "../../../src/base/value/mod.ts";

const view = new DataView(new SharedArrayBuffer(4096));

function travel(value: unknown): unknown {
  const sent = portable(value);
  const end = writeValue(view, 8, sent);
  assertStrictEquals(end - 8, valueBytes(sent));
  assert(valueBytesMax(sent) >= valueBytes(sent));
  assertStrictEquals(end % 8, 0);
  const reader = new ValueReader();
  reader.begin(view, 8);
  return reader.read();
}

const VALUES: [name: string, value: unknown][] = [
  ["numbers", 1.5],
  ["NaN", NaN],
  ["minus zero", -0],
  ["infinity", -Infinity],
  ["the least number", Number.MIN_VALUE],
  ["empty text", ""],
  ["text with a byte order mark", "\ufeffabc\u0000"],
  ["text of three bytes a character", "€".repeat(100)],
  ["text beyond the basic plane", "😀".repeat(33)],
  ["a lone surrogate", "a\ud800b"],
  ["undefined", undefined],
  ["null", null],
  ["true", true],
  ["false", false],
  ["empty bytes", new Uint8Array(0)],
  ["bytes", new Uint8Array([1, 2, 255])],
  ["part of bytes", new Uint8Array([1, 2, 255, 4]).subarray(1, 3)],
  ["a big integer", 2n ** 100n],
  ["an object", { a: [1, { b: "x" }], c: undefined }],
  ["a sparse array", [1, , 3]], // deno-lint-ignore no-sparse-arrays
  ["a map", new Map<unknown, unknown>([["a", new Set([1, "2"])]])],
  ["a date", new Date(5)],
  ["an invalid date", new Date(NaN)],
  ["a regular expression", /x+/giu],
  ["an ArrayBuffer", new Uint8Array([1, 2, 3]).buffer],
  ["typed arrays", [new Float64Array([1.5, NaN]), new Int16Array([-3]), new BigInt64Array([-1n])]],
  ["boxed values", [Object(1n), Object("a"), Object(true)]],
  ["an error as a value", new RangeError("x")],
];

for (const [name, value] of VALUES) {
  Deno.test(`writeValue() and ValueReader.read(): ${name}`, () => {
    assertEquals(travel(value), value);
    // Equal also by its sign.
    if (typeof value === "number") assertStrictEquals(travel(value), value);
  });
}

Deno.test("ValueReader.read() gives copies, of the kind they were", () => {
  const bytes = travel(new Uint8Array([1])) as Uint8Array;
  assertStrictEquals(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  assertStrictEquals(bytes.buffer instanceof ArrayBuffer, true);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const back = travel(cyclic) as Record<string, unknown>;
  assertStrictEquals(back.self, back);
});

Deno.test("ValueReader.read() gives each view within a value memory of its own, as large as the view", () => {
  const memory = new ArrayBuffer(64);
  new Uint8Array(memory).set([1, 2, 3], 8);
  const views = [
    new Uint8Array(1000),
    new Uint8Array(memory, 8, 3),
    new Uint8Array(memory),
    new Float64Array(memory, 8, 1),
    new BigUint64Array([5n]),
    new Float16Array([1.5]),
    new DataView(memory, 9, 2),
    Buffer.from("abc"),
    new Uint8Array(new SharedArrayBuffer(4)),
  ];
  const bytesOf = (
    { buffer, byteOffset, byteLength }: ArrayBufferView,
  ) => [...new Uint8Array(buffer, byteOffset, byteLength)];
  const back = travel({ views }) as { views: ArrayBufferView[] };
  back.views.forEach((view, index) => {
    assertEquals(bytesOf(view), bytesOf(views[index]));
    assertStrictEquals(view.constructor, views[index].constructor);
    assert(view.buffer instanceof ArrayBuffer);
    assertEquals([view.byteOffset, view.buffer.byteLength], [0, views[index].byteLength]);
  });
  assertStrictEquals(new Set(back.views.map(({ buffer }) => buffer)).size, views.length);
});

Deno.test("portable() refuses what cannot travel", () => {
  const controller = new AbortController();
  for (
    const value of [() => 1, Symbol("s"), Promise.resolve(), new WeakMap(), {
      a: [() => 1],
    }, new Proxy({}, {})]
  ) {
    assertThrows(() => portable(value), TypeError);
  }
  assertThrowsMatching(
    () => portable(controller.signal),
    /an AbortSignal, which cannot travel .* except as an argument/,
  );
  assertStrictEquals(portableArgument(controller.signal), SIGNAL_PLACE);
  assertThrowsMatching(() => portable(new SharedArrayBuffer(8)), /SharedArrayBuffer/);
});

const REFUSED: [what: string, value: () => unknown, named: RegExp][] = [
  ["a URL", () => new URL("http://x/"), /^an object of class URL,/],
  ["a port", () => new MessageChannel().port1, /^an object of class MessagePort,/],
  ["a stream", () => new ReadableStream(), /^an object of class ReadableStream,/],
  ["a request", () => new Request("http://x/"), /^an object of class Request,/],
  ["headers", () => new Headers(), /^an object of class Headers,/],
  ["a blob", () => new Blob(["x"]), /^an object of class Blob,/],
  ["an event", () => new Event("x"), /^an object of class Event,/],
  ["a subclass", () => new (class extends URL {})("http://x/"), /^an object of class URL,/],
  ["a view of shared memory", () => new Int32Array(new SharedArrayBuffer(4)), /^a view of shared memory,/],
  ["a DataView of it", () => new DataView(new SharedArrayBuffer(4)), /^a view of shared memory,/],
  ["transferred bytes", () => transferred(), /^memory that was transferred,/],
  ["its buffer", () => transferred().buffer, /^memory that was transferred,/],
];

function transferred(): Uint8Array {
  const bytes = new Uint8Array(4);
  bytes.buffer.transfer();
  return bytes;
}

for (const [what, value, named] of REFUSED) {
  Deno.test(`portable() refuses what V8 would make something else of: ${what}, also within`, () => {
    assertThrowsMatching(() => portable(value()), { name: "TypeError", message: named });
    const within = new RegExp(`^something with ${named.source.slice(1, -1)} in it, which cannot travel`);
    for (
      const outer of [
        [1, value()],
        { a: { b: value() } },
        new Map([["k", value()]]),
        new Map([[value(), 1]]),
        new Set([value()]),
      ]
    ) {
      assertThrowsMatching(() => portable(outer), { name: "TypeError", message: within });
    }
  });
}

Deno.test("portable() looks at LOOK_COUNT_MAX values within one, and goes round in circles once", () => {
  const cyclic: unknown[] = new Array(LOOK_COUNT_MAX - 2).fill(0);
  cyclic.push(cyclic, new Headers());
  assertThrowsMatching(() => portable(cyclic), /class Headers/);
  cyclic.unshift(0);
  portable(cyclic);
});

Deno.test("portable() takes objects of the program's own classes, whatever their tags, and bytes of shared memory", () => {
  class Tagged {
    kept = 1;
    get [Symbol.toStringTag]() {
      return "URL";
    }
  }
  assertEquals(travel(new Tagged()), { kept: 1 });
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
  assertEquals(travel(shared), new Uint8Array([7, 7]));
  assertEquals(travel([shared]), [new Uint8Array([7, 7])]);
});

Deno.test("isPlain() is true of what is written as it is", () => {
  class Bytes extends Uint8Array {}
  assertEquals(
    [1, "a", true, null, undefined, new Uint8Array(1)].map(isPlain),
    [true, true, true, true, true, true],
  );
  assertEquals(["\ud800", {}, new Bytes(1), 1n, () => 1].map(isPlain), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("the layout of values is as documented", () => {
  assertEquals(Object.values(KIND), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assertStrictEquals(writeValue(view, 0, 1.5), 16);
  assertEquals([view.getInt32(0, true), view.getInt32(4, true), view.getFloat64(8, true)], [4, 8, 1.5]);
  assertStrictEquals(writeValue(view, 0, "abc"), 16);
  assertEquals([view.getInt32(0, true), view.getInt32(4, true), view.getUint8(10)], [5, 3, 99]);
  assertStrictEquals(writeValue(view, 0, new Uint8Array(9)), 24);
  assertStrictEquals(writeValue(view, 0, null), 8);
});
