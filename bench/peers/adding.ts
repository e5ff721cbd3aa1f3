/** The module of the tasks that are measured. */

/** The sum. */
export function add(left: number, right: number): number {
  return left + right;
}
