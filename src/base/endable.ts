/**
 * `iterator`, made by a generator, which calls `end()` as soon as somebody is done with it. A generator alone hears of that only once it has begun, and
 * not before the value that it waits for has come: `end()` has that wait end.
 */
export function endable<T>(iterator: AsyncIterableIterator<T>, end: () => void): AsyncIterableIterator<T> {
  return {
    next: () => iterator.next(),
    async return(value?: unknown): Promise<IteratorResult<T>> {
      end();
      return await iterator.return?.(value) ?? { done: true, value };
    },
    async throw(error?: unknown): Promise<IteratorResult<T>> {
      end();
      if (iterator.throw !== undefined) return await iterator.throw(error);
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
