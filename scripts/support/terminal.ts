/** Writes one line to standard output. */
export function print(line: string): void {
  // deno-lint-ignore no-console -- the one door through which commands speak
  console.log(line);
}

/** Writes one line to standard error, where progress and complaints belong. */
export function printError(line: string): void {
  // deno-lint-ignore no-console -- the one door through which commands speak
  console.error(line);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
