/**
 * The tasks of examples/task_pool.ts.
 *
 * @module
 */
import type { TaskContext } from "@millrace/millrace/tasks";

/** Numbers that are tried between two turns of the event loop. */
const PER_LOOK = 10_000;

/** How many primes there are from `first` up to but not including `end`. */
export async function countPrimes(this: TaskContext, first: number, end: number): Promise<number> {
  let count = 0;
  for (let number = first; number < end; number++) {
    if (isPrime(number)) count++;
    if ((number - first) % PER_LOOK !== PER_LOOK - 1) continue;
    // A turn of the event loop, or no message could reach this process.
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.signal.throwIfAborted();
  }
  return count;
}

function isPrime(number: number): boolean {
  if (number < 2 || number > 2 && number % 2 === 0) return false;
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) {
    if (number % divisor === 0) return false;
  }
  return true;
}
