/** The longest name of a region, in characters. */
export const SHARED_MEMORY_NAME_LENGTH_MAX = 200;

/** What the names of Millrace's regions begin with among the system's shared memory objects. */
export const OBJECT_PREFIX = "millrace.";

/**
 * The shared memory object of a region.
 *
 * @throws {RangeError} for what is no name of a region
 */
export function objectOf(name: string): string {
  const { length } = name;
  if (/^[A-Za-z0-9_.-]+$/.test(name) && length <= SHARED_MEMORY_NAME_LENGTH_MAX) {
    return `/${OBJECT_PREFIX}${name}`;
  }
  throw new RangeError(
    `name of shared memory: ${
      JSON.stringify(name)
    }, expected 1 to ${SHARED_MEMORY_NAME_LENGTH_MAX} letters, digits, ` +
      '"_", "." and "-"',
  );
}
