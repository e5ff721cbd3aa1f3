import type { Property } from "./machine.ts";

/** A mistake in the protocol, a small run that shows it, and the property that it breaks there. */
export interface Mutant {
  readonly name: string;
  readonly options: string;
  readonly breaks: Property;
  readonly what: string;
}

/** Named `text-…`: what an earlier text of the protocol said. */
export const MUTANTS: readonly Mutant[] = [
  // Slots and hints.
  mutant("ready-first", "", "torn", "a slot is READY before the message is written"),
  mutant("free-first", "--messages 2", "torn", "a slot is FREE before the message is read"),
  mutant("steal-live", "", "robbed", "recovery does not ask whether the owner lives"),
  mutant("no-abort", "--producers 2 --crashes 1", "stuck", "recovery leaves WRITING slots"),
  mutant("no-requeue", "--consumers 2 --crashes 1", "lost", "recovery frees RESERVED slots"),
  mutant("no-scan", "--crashes 1", "stuck", "nobody looks at slots without a hint"),
  mutant("no-help", "--producers 2 --crashes 1", "stuck", "nobody moves the tail for a dead producer"),
  // Attaching and recovery.
  mutant("recover-no-lock", "--crashes 1 --attaches 1", "robbed", "recovery does not lock the index"),
  mutant(
    "attach-no-sweep",
    "--crashes 1 --attaches 1",
    "stuck",
    "what the predecessor had stays the newcomer's",
  ),
  // Priorities, order, dead letters.
  mutant(
    "urgent-last",
    "--slots 2 --messages 2 --lanes 2",
    "priority",
    "the least urgent lane is looked at first",
  ),
  mutant(
    "scan-no-recheck",
    "--slots 2 --messages 2 --any-slot --order generation",
    "order",
    "the scan's message is taken without a look at the hints",
  ),
  mutant(
    "text-order",
    "--slots 2 --messages 3 --any-slot --order recheck",
    "order",
    "a late hint of a message that the scan took leads to the slot's next message",
  ),
  mutant(
    "count-on-nack",
    "--limit 1 --crashes 1 --attaches 1",
    "limit",
    "a delivery that ends with a death is not counted",
  ),
  mutant("dead-same-lane", "--limit 1 --nacks 1", "stuck", "a dead letter stays in its lane"),
  // Partitions.
  mutant(
    "partition-not-taken",
    "--slots 2 --producers 2 --consumers 2 --partitioned",
    "partition",
    "consumers do not exclude each other",
  ),
  mutant("no-chain", "--slots 2 --messages 2 --partitioned --nacks 1", "order", "previous is not followed"),
  mutant(
    "chain-no-gen",
    "--slots 2 --messages 3 --any-slot --partitioned",
    "stuck",
    "previous is followed into a slot's next message, in a circle",
  ),
  mutant(
    "no-lane-check",
    "--messages 3 --partitioned --lanes 2",
    "stuck",
    "the lane of a hinted slot is not looked at",
  ),
  mutant(
    "sweep-partitions-first",
    "--slots 2 --messages 2 --consumers 2 --crashes 1 --partitioned",
    "partition",
    "a dead consumer's partition is free before its message is READY",
  ),
  mutant(
    "sweep-no-partition",
    "--consumers 2 --crashes 1 --partitioned",
    "stuck",
    "a dead consumer keeps its partition",
  ),
  // Requests. Second looks matter while nobody has looked for orphaned replies yet.
  mutant(
    "attach-sweep-first",
    "--requests --crashes 1 --attaches 1 --no-orphan-scan --no-paused",
    "stuck",
    "the session changes after the sweep",
  ),
  mutant(
    "reply-no-second-session",
    "--requests --crashes 1 --attaches 1 --no-orphan-scan --no-paused",
    "stuck",
    "the session is not looked at again after REPLIED",
  ),
  mutant(
    "reply-no-session",
    "--requests --crashes 1 --attaches 1 --no-orphan-scan --no-paused",
    "stuck",
    "the session is not looked at",
  ),
  mutant(
    "reply-no-second-cancelled",
    "--requests --cancels 1 --no-orphan-scan --no-paused",
    "stuck",
    "cancelled is not looked at again after REPLIED",
  ),
  mutant(
    "cancel-no-look",
    "--requests --cancels 1 --no-orphan-scan --no-paused",
    "stuck",
    "the requester does not look at its slot after it gave up",
  ),
  mutant(
    "cancel-drop-reread",
    "--requests --producers 2 --cancels 1",
    "robbed",
    "who gives up frees whatever is in the slot by then",
  ),
  mutant(
    "no-sweep-replies",
    "--requests --crashes 1 --no-orphan-scan --no-paused",
    "stuck",
    "recovery leaves REPLIED slots",
  ),
  mutant(
    "reply-by-owner",
    "--slots 2 --requests --crashes 1 --attaches 1",
    "reply",
    "a requester takes any slot that is REPLIED to its index",
  ),
  mutant(
    "text-recover",
    "--requests --consumers 2 --crashes 1 --no-orphan-scan --no-paused",
    "stuck",
    "recovery changes the session after its sweep",
  ),
  mutant(
    "text-no-orphan-scan",
    "--requests --consumers 2 --crashes 1 --cancels 1 --no-orphan-scan",
    "stuck",
    "a consumer dies between REPLIED and its second look",
  ),
  mutant(
    "text-cancel-flag",
    "--requests --producers 2 --cancels 1 --drops",
    "lost",
    "cancelled does not say which request is meant",
  ),
  // Mailboxes.
  mutant(
    "box-free-unchecked",
    "--boxes 1 --consumers 2 --crashes 1",
    "lost",
    "a box is freed before slots are looked at",
  ),
  mutant(
    "sweep-slots-first",
    "--boxes 1 --consumers 2 --crashes 1",
    "lost",
    "a slot is READY before its box is SENT",
  ),
  mutant("orphan-box-unchecked", "--boxes 1", "lost", "a box on its way is freed"),
  mutant(
    "no-orphan-boxes",
    "--boxes 1 --producers 2 --crashes 1",
    "stuck",
    "a box that no slot names stays SENT",
  ),
  // Sleeping and waking, without time-outs.
  mutant("armed-late", "--wake", "sleep", "armed changes after the second look"),
  mutant("no-second-look", "--wake", "sleep", "a sleeper does not look again once it is armed"),
  mutant("no-bump", "--wake", "sleep", "a waker does not change signal"),
  mutant("disarm-reread", "--wake --messages 2", "sleep", "disarmed is set to armed as it is by then"),
  mutant("armed-store", "--wake --messages 2", "sleep", "armed is stored 0, without a comparison"),
  mutant(
    "text-armed",
    "--wake --producers 2 --messages 2 --uneven",
    "sleep",
    "armed goes back to 0, and is 1 again when another waker compares",
  ),
  mutant(
    "text-one-signal",
    "--wake --consumers 2 --limit 1 --nacks 1",
    "sleep",
    "consumers of dead letters sleep on the word of the others",
  ),
];

function mutant(name: string, options: string, breaks: Property, what: string): Mutant {
  return { name, options, breaks, what };
}
