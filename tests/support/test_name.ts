/** The id that `deno task test` gives a run; it takes away all shared memory with this in its name when the run ends, however it ends. */
const RUN = Deno.env.get("MILLRACE_TEST_RUN") ?? "alone";

/** A name that nobody else has, for what lies beyond this process. */
export function testName(): string {
  return `test-${RUN}-${crypto.randomUUID()}`;
}
