import { handleSignals, makeControlDirectory, supervise as start } from "../../run/process/mod.ts";
import { EXIT_CODE, lineOf, UsageError } from "../exit_codes.ts";
import type { ProcessCommand, ProcessContext } from "../process_command.ts";
import { readProcessFile } from "../process_file.ts";
import { SOCKET_OPTION, socketPath } from "./socket.ts";

/** `millrace supervise`. */
export const supervise: ProcessCommand = {
  name: "supervise",
  summary: "Run and supervise the processes of a file",
  details:
    "SIGTERM and SIGINT stop them all, a second one at once; SIGUSR1 reloads them. Exits with 1 after a process has failed too often.",
  positionals: ["<file>"],
  options: SOCKET_OPTION,
  async run(context: ProcessContext): Promise<number> {
    const { positionals, takeSignals, complain, signal } = context;
    const file = await readProcessFile(positionals[0]);
    const controlPath = socketPath(context, file.socket);
    await makeControlDirectory(controlPath, Deno.uid());
    const log = (line: string): void => complain(`millrace: ${line}\n`);
    let supervisor;
    try {
      supervisor = await start(file.processes, { controlPath, log, signal });
    } catch (error) {
      // A command that does not exist is a mistake in the file.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UsageError(`${positionals[0]}: ${lineOf(error)}`, { cause: error });
    }
    takeSignals();
    const { gaveUp } = await handleSignals(supervisor);
    if (gaveUp.length === 0) return EXIT_CODE.done;
    complain(`millrace: given up: ${gaveUp.join(", ")}\n`);
    return EXIT_CODE.failed;
  },
};
