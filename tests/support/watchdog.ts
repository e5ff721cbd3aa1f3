/** Rejects, with what was waited for, when `task` has not settled after `timeoutMs` of real time. */
export async function withWatchdog<T>(
  timeoutMs: number,
  task: () => Promise<T> | T,
  what = "the test",
): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`watchdog: ${what} did not end within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([task(), expired]);
  } finally {
    clearTimeout(timer);
  }
}
