import { array, bytes, int32, string } from "./definition/fields.ts";
import { defineMessage, type MessageValue } from "./definition/message.ts";

/**
 * What a consumer tells the leader of its group, in the bytes of JoinGroup, after its version. A version that
 * is too high is read as 3: see `readVersionedOrNewer()`.
 *
 * ```text
 * ConsumerProtocolSubscription (0-3) => [topics] userData [ownedPartitions] generationId rackId
 *   topics => STRING
 *   userData (nullable) => BYTES
 *   ownedPartitions (1+) => topic [partitions]
 *     topic => STRING
 *     partitions => INT32
 *   generationId (2+) => INT32
 *   rackId (3+, nullable) => STRING
 * ```
 */
export const consumerProtocolSubscription = defineMessage({
  name: "ConsumerProtocolSubscription",
  versions: "0-3",
  flexibleVersions: "none",
  fields: {
    topics: array(string()),
    userData: bytes({ nullable: "0+", default: null }),
    ownedPartitions: array({
      topic: string(),
      partitions: array(int32()),
    }, { versions: "1+", ignorable: true }),
    generationId: int32({ versions: "2+", default: -1, ignorable: true }),
    rackId: string({ versions: "3+", nullable: "0+", default: null, ignorable: true }),
  },
});

/**
 * What the leader of a group tells a consumer, in the bytes of SyncGroup, after its version.
 *
 * ```text
 * ConsumerProtocolAssignment (0-3) => [assignedPartitions] userData
 *   assignedPartitions => topic [partitions]
 *     topic => STRING
 *     partitions => INT32
 *   userData (nullable) => BYTES
 * ```
 */
export const consumerProtocolAssignment = defineMessage({
  name: "ConsumerProtocolAssignment",
  versions: "0-3",
  flexibleVersions: "none",
  fields: {
    assignedPartitions: array({
      topic: string(),
      partitions: array(int32()),
    }),
    userData: bytes({ nullable: "0+", default: null }),
  },
});

/** A message of {@linkcode consumerProtocolSubscription}. */
export type ConsumerProtocolSubscription = MessageValue<typeof consumerProtocolSubscription>;
/** A message of {@linkcode consumerProtocolAssignment}. */
export type ConsumerProtocolAssignment = MessageValue<typeof consumerProtocolAssignment>;
