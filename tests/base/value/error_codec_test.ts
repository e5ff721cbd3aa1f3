import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  fromPortable,
  KnownErrorClasses,
  type PortableError,
  toPortable,
} from "../../../src/base/value/mod.ts";
import { OwnError } from "../../run/cores/throwing.ts";

const here = new KnownErrorClasses({}, { Renamed: OwnError });
const elsewhere = new KnownErrorClasses({});

Deno.test("fromPortable() makes an error of the same class where it is known, by whatever name it is exported", () => {
  const portable = structuredClone(toPortable(new OwnError("x"), here)) as PortableError;
  assertStrictEquals(portable.className, "module:Renamed");
  const back = fromPortable(portable, here) as OwnError;
  assertStrictEquals(back.constructor, OwnError);
  assertEquals([back.name, back.message, back.code], ["OwnError", "x", 7]);
  const foreign = fromPortable(portable, elsewhere) as Error;
  assertEquals([foreign.constructor, foreign.name], [Error, "OwnError"]);
  assertStrictEquals(Object.keys(foreign).includes("name"), false);
});

Deno.test("toPortable() never throws, and keeps within limits", () => {
  const chain = Array.from({ length: 1000 }).reduce(
    (cause) => new Error("e", { cause }),
    undefined as unknown,
  );
  let depth = 0;
  for (let error = fromPortable(toPortable(chain, here), here); error instanceof Error; error = error.cause) {
    depth++;
  }
  assertStrictEquals(depth, 9);
  const hostile = [
    new Proxy(new Error("proxy"), {
      get() {
        throw new Error("no");
      },
    }),
    Object.defineProperty(new Error("getter"), "cause", {
      get() {
        throw new Error("no");
      },
    }),
    { [Symbol.for("Deno.customInspect")]: () => 1, callback() {} },
    Symbol("s"),
    Object.assign(new Error("x"), { signal: new AbortController().signal }),
  ];
  for (const thrown of hostile) structuredClone(toPortable(thrown, here));
});

Deno.test("toPortable() gives what runs no code of the error's when it is sent", () => {
  let sending = false;
  const guarded = {
    get value(): number {
      assert(!sending);
      return 7;
    },
  };
  for (const thrown of [Object.assign(new Error("x"), { detail: guarded }), guarded]) {
    const portable = toPortable(thrown, here);
    sending = true;
    const back = fromPortable(structuredClone(portable), here);
    sending = false;
    assertEquals(back instanceof Error ? Reflect.get(back, "detail") : back, { value: 7 });
  }
});

Deno.test("fromPortable() cannot reach the prototype of anything", () => {
  const error = new Error("x");
  Object.defineProperty(error, "__proto__", { value: { polluted: true }, enumerable: true });
  const back = fromPortable(toPortable(error, here), here) as Error & { polluted?: boolean };
  assert(back instanceof Error);
  assertStrictEquals(back.polluted, undefined);
});
