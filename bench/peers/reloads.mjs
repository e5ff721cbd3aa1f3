// deno-lint-ignore-file explicit-module-boundary-types -- JavaScript, which Node runs as well, has no types
/** How reloads are measured, whoever does them: `reload()` has replaced all workers when it resolves. */

/** Reloads so often, and resolves to the figures. */
export async function measureReloads(count, reload) {
  const times = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const startMs = performance.now();
    await reload();
    times[index] = performance.now() - startMs;
  }
  times.sort();
  return { reloads: count, p50Ms: times[count >> 1], maxMs: times[count - 1] };
}
