/**
 * How examples read options that are numbers.
 *
 * @module
 */

/**
 * The whole number that an option says.
 *
 * @throws {RangeError} when it says none from `min` to `max`
 */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new RangeError(`${name} is "${text}", expected a whole number from ${min} to ${max}`);
}
