import { assertEquals, AssertionError, assertMatch, assertRejects, assertThrows } from "@std/assert";

// What `@std/assert` leaves to several statements: an error by its text, by its properties, or by a look of one's own.

/**
 * What an error has to be: a class; a pattern, which `String(error)` has to have; properties, compared deeply, a string also with a pattern;
 * another error, of the same name, message and properties; or a function that says so by `true`.
 */
export type ExpectedThrown =
  // deno-lint-ignore no-explicit-any
  | (abstract new (...parameters: any[]) => Error)
  | RegExp
  | Error
  | Readonly<Record<string, unknown>>
  // deno-lint-ignore no-explicit-any
  | ((error: any) => boolean);

/** Asserts that `body` throws what is `expected`. */
export function assertThrowsMatching(body: () => unknown, expected: ExpectedThrown, message?: string): void {
  assertThrown(assertThrows(body, message), expected, message);
}

/** Asserts that the promise that `body` returns rejects with what is `expected`. */
export async function assertRejectsMatching(
  body: () => PromiseLike<unknown>,
  expected: ExpectedThrown,
  message?: string,
): Promise<void> {
  assertThrown(await assertRejects(body, message), expected, message);
}

function assertThrown(thrown: unknown, expected: ExpectedThrown, message?: string): void {
  if (expected instanceof RegExp) return assertMatch(String(thrown), expected, message);
  if (expected instanceof Error) {
    const { name, message: text } = expected;
    return assertProperties(thrown, { ...expected, name, message: text }, message);
  }
  if (typeof expected === "object") return assertProperties(thrown, expected, message);
  const matches = isErrorClass(expected)
    ? thrown instanceof expected
    : (expected as (error: unknown) => boolean)(thrown) === true;
  if (!matches) {
    const details = message === undefined ? "" : `: ${message}`;
    throw new AssertionError(`${Deno.inspect(thrown)} is not what ${expected} expects${details}`);
  }
}

/** Compares what is `expected` only; names of properties go with their values, so that a failure shows both. */
function assertProperties(
  thrown: unknown,
  expected: Readonly<Record<string, unknown>>,
  message?: string,
): void {
  if (Object.keys(expected).length === 0) throw new TypeError("no property is expected");
  const found: Record<string, unknown> = {};
  const wanted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(expected)) {
    found[name] = (thrown as Record<string, unknown> | null | undefined)?.[name];
    // A text that has the pattern stands for it.
    const matches = value instanceof RegExp && typeof found[name] === "string" && value.test(found[name]);
    wanted[name] = matches ? found[name] : value;
  }
  assertEquals(found, wanted, message);
}

function isErrorClass(expected: unknown): expected is new () => Error {
  return typeof expected === "function" &&
    (expected === Error || expected.prototype instanceof Error);
}
