import { CoreError, currentCore } from "../../../src/run/cores/mod.ts";
import { QueueFullError } from "../../../src/base/sync/mod.ts";

/** A class that the module exports. */
export class OwnError extends Error {
  override name = "OwnError";
  code = 7;
  detail = { list: [1, new Map([["a", 1n]])] };
}

class HiddenError extends OwnError {
  override name = "HiddenError";
}

/** Gives a result that cannot travel. */
export function untransferable(kind: string): unknown {
  switch (kind) {
    case "function":
      return () => 1;
    case "symbol":
      return Symbol("s");
    case "signal":
      return new AbortController().signal;
    case "nested":
      return { inner: [() => 1] };
    case "weak":
      return new WeakMap();
    case "headers":
      return { status: 200, headers: new Headers() };
    case "transferred": {
      const bytes = new Uint8Array(4);
      bytes.buffer.transfer();
      return bytes;
    }
    case "getter":
      return {
        get boom() {
          throw new RangeError("from a getter");
        },
      };
    default:
      return undefined;
  }
}

/** Throws what cannot be made elsewhere and sent. */
export function throwKind(kind: string): never {
  switch (kind) {
    case "own":
      throw new OwnError("own", { cause: new TypeError("inner", { cause: { code: 3 } }) });
    case "hidden":
      throw new HiddenError("of a class that is not exported");
    case "not found":
      throw new Deno.errors.NotFound("no such file");
    case "range":
      throw new RangeError("out of range");
    case "aggregate":
      throw new AggregateError([new OwnError("first"), "second", new SyntaxError("third")], "several");
    case "dom":
      throw new DOMException("quota", "QuotaExceededError");
    case "queue full":
      throw new QueueFullError("test", 3);
    case "core":
      throw new CoreError("not this one", 5);
    case "text":
      // deno-lint-ignore no-throw-literal -- what a program may do
      throw "just text";
    case "undefined":
      // deno-lint-ignore no-throw-literal -- as well
      throw undefined;
    case "function":
      throw function thrown() {};
    case "error with function":
      throw Object.assign(new Error("with a function"), { callback: () => 1, kept: 2 });
    case "cyclic": {
      const error = new Error("cyclic");
      error.cause = error;
      throw error;
    }
    case "hostile": {
      const error = new Error("hostile");
      Object.defineProperty(error, "name", {
        get() {
          throw new Error("no name");
        },
      });
      throw error;
    }
    case "many": {
      const error = new AggregateError([], "many");
      error.errors = Array.from({ length: 1000 }, () => error);
      throw error;
    }
    default:
      throw new Error(kind);
  }
}

export async function throwLater(kind: string): Promise<never> {
  await currentCore().sleep(1);
  return throwKind(kind);
}
