/**
 * `iterator`, made by a generator, which calls `end()` as soon as its reader leaves it. A generator alone learns of that only once it has begun, and not
 * before the value that it waits for has come: `end()` is to end that wait.
 */
export function endable<T, R>(
  iterator: AsyncIterableIterator<T, R, undefined>,
  end: () => void,
): AsyncGenerator<T, R, undefined> {
  return {
    next: () => iterator.next(),
    async return(value): Promise<IteratorResult<T, R>> {
      end();
      return await iterator.return?.(value) ?? { done: true, value: await value };
    },
    async throw(error): Promise<IteratorResult<T, R>> {
      end();
      if (iterator.throw !== undefined) return await iterator.throw(error);
      throw error;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      end();
      await iterator.return?.();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
