import assert from "node:assert/strict";
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
    assert.equal(value, 1);
    break;
  }
  assert.equal(endCount(), 1);
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  const other = waiting();
  assert.deepEqual(await other.iterator.return?.(5), { done: true, value: 5 });
  assert.equal(other.endCount(), 1);
  const disposed = waiting();
  {
    await using _ = disposed.iterator;
  }
  assert.equal(disposed.endCount(), 1);
});

Deno.test("endable() ends a wait that is under way", async () => {
  const { iterator } = waiting();
  await iterator.next();
  const next = iterator.next();
  await iterator.return?.();
  assert.deepEqual(await next, { done: true, value: undefined });
});

Deno.test("endable() passes on what is thrown into it", async () => {
  const { iterator, endCount } = waiting();
  await iterator.next();
  await assert.rejects(async () => await iterator.throw?.(new RangeError("no")), RangeError);
  assert.equal(endCount(), 1);
});
