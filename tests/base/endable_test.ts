import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { endable } from "../../src/base/mod.ts";

/** An iterator that waits for ever from its second value on, until it is ended. */
function waiting() {
  const ended = Promise.withResolvers<void>();
  let endCount = 0;
  const iterator = endable(
    (async function* (): AsyncGenerator<number, number | void, undefined> {
      yield 1;
      await ended.promise;
    })(),
    () => {
      endCount++;
      ended.resolve();
    },
  );
  return { iterator, endCount: () => endCount };
}

Deno.test("endable() ends what is left, and what was never begun", async () => {
  const { iterator, endCount } = waiting();
  for await (const value of iterator) {
    assertStrictEquals(value, 1);
    break;
  }
  assertStrictEquals(endCount(), 1);
  assertEquals(await iterator.next(), { done: true, value: undefined });
  const other = waiting();
  assertEquals(await other.iterator.return?.(5), { done: true, value: 5 });
  assertStrictEquals(other.endCount(), 1);
  const disposed = waiting();
  {
    await using _ = disposed.iterator;
  }
  assertStrictEquals(disposed.endCount(), 1);
});

Deno.test("endable() ends a wait that is under way", async () => {
  const { iterator } = waiting();
  await iterator.next();
  const next = iterator.next();
  await iterator.return?.();
  assertEquals(await next, { done: true, value: undefined });
});

Deno.test("endable() passes on what is thrown into it", async () => {
  const { iterator, endCount } = waiting();
  await iterator.next();
  await assertRejects(async () => await iterator.throw?.(new RangeError("no")), RangeError);
  assertStrictEquals(endCount(), 1);
});
