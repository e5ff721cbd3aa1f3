import { askSupervisor } from "../../run/process/mod.ts";
import { EXIT_CODE } from "../exit_codes.ts";
import type { ProcessCommand, ProcessContext } from "../process_command.ts";
import { SOCKET_OPTION, socketPath } from "./socket.ts";

/** `millrace stop`. */
export const stop: ProcessCommand = {
  name: "stop",
  summary: "Stop the instances of a process; without a name, all of them and the supervisor",
  details: "Exits when they have ended. A stopped process runs again after a reload.",
  positionals: ["[name]"],
  options: SOCKET_OPTION,
  async run(context: ProcessContext): Promise<number> {
    const { positionals: [name], signal } = context;
    await askSupervisor(socketPath(context), { command: "stop", name }, { signal });
    return EXIT_CODE.done;
  },
};
