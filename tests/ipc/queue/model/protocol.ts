import { addAttach } from "./attach.ts";
import { addChain } from "./chain.ts";
import type { Config } from "./config.ts";
import { addDeliver } from "./deliver.ts";
import { addHint } from "./hint.ts";
import { Machine } from "./machine.ts";
import { addMailbox } from "./mailbox.ts";
import { addPartition } from "./partition.ts";
import { addReceive } from "./receive.ts";
import { addRecovery } from "./recovery.ts";
import { addOrphanScan, addReply } from "./reply.ts";
import { addRequest } from "./request.ts";
import { addScan } from "./scan.ts";
import { addSend } from "./send.ts";
import { Layout } from "./state.ts";
import { addWaking } from "./waking.ts";

/**
 * The protocol with the features that a configuration switches on.
 *
 * Left out is what only says where to look first: the list of a requester's replies, whose slots it looks at without it here. And what one
 * process knows of itself: that it has the messages whose slots name it, which no living one of the model ever doubts.
 */
export function buildProtocol(config: Config): Machine {
  const machine = new Machine(new Layout(config));
  addSend(machine);
  addHint(machine);
  addReceive(machine);
  addScan(machine);
  addDeliver(machine);
  addRecovery(machine);
  addAttach(machine);
  if (machine.layout.chained) addChain(machine);
  if (config.partitioned) addPartition(machine);
  if (config.boxes > 0) addMailbox(machine);
  if (config.requests) addRequest(machine);
  if (config.requests) addReply(machine);
  if (config.requests && config.orphanScan) addOrphanScan(machine);
  if (config.wake) addWaking(machine);
  machine.assertComplete();
  return machine;
}
