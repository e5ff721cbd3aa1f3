/**
 * How examples read numeric options.
 *
 * @module
 */

/**
 * The value of a numeric option.
 *
 * @throws {RangeError} when it is not a whole number from `min` to `max`
 */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new RangeError(`${name} is "${text}", expected a whole number from ${min} to ${max}`);
}
