/**
 * The subcommands of `millrace queue`.
 *
 * @module
 */
import type { QueueCommand } from "../command.ts";
import { create } from "./create.ts";
import { list } from "./list.ts";
import { purge } from "./purge.ts";
import { receive } from "./receive.ts";
import { send } from "./send.ts";
import { status } from "./status.ts";
import { unlink } from "./unlink.ts";

/** All of them, as the help lists them. */
export const queueCommands: readonly QueueCommand[] = [create, send, receive, status, list, purge, unlink];
