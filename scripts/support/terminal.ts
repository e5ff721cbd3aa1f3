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

/** Refuses arguments to a command that takes none: prints what was given, and exits with 2. */
export function refuseArguments(command: string, parameters: readonly string[]): void {
  if (parameters.length === 0) return;
  printError(`${command}: unknown argument ${parameters[0]}, expected none`);
  Deno.exit(2);
}
