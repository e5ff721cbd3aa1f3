import { askSupervisor } from "../../run/process/mod.ts";
import { EXIT_CODE } from "../exit_codes.ts";
import type { ProcessCommand, ProcessContext } from "../process_command.ts";
import { SOCKET_OPTION, socketPath } from "./socket.ts";

/** `millrace reload`. */
export const reload: ProcessCommand = {
  name: "reload",
  summary: "Replace the instances of a process, or of all, without a gap",
  details:
    "Exits when all are replaced, or with 1 when a new one does not become ready; those not replaced still run.",
  positionals: ["[name]"],
  options: SOCKET_OPTION,
  async run(context: ProcessContext): Promise<number> {
    const { positionals: [name], signal } = context;
    await askSupervisor(socketPath(context), { command: "reload", name }, { signal });
    return EXIT_CODE.done;
  },
};
