/**
 * Checks a count from a caller.
 *
 * @throws {RangeError} when it is not a whole number from `min` to `max`
 */
export function requireWhole(operation: string, name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${operation}: ${name} is ${value}, expected a whole number from ${min} to ${max}`);
}
