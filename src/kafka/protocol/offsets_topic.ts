import { array, bytes, int32, int64, string, uuid } from "./definition/fields.ts";
import { defineMessage, type MessageValue } from "./definition/message.ts";

/**
 * The key of a committed offset in the topic `__consumer_offsets`, after its version. Versions 0 and 1 are
 * the same; the version tells it from the other keys of the topic.
 *
 * ```text
 * OffsetCommitKey (0-1) => group topic partition
 *   group => STRING
 *   topic => STRING
 *   partition => INT32
 * ```
 */
export const offsetCommitKey = defineMessage({
  name: "OffsetCommitKey",
  versions: "0-1",
  flexibleVersions: "none",
  fields: {
    group: string(),
    topic: string(),
    partition: int32(),
  },
});

/**
 * A committed offset in the topic `__consumer_offsets`, after its version.
 *
 * ```text
 * OffsetCommitValue (0-4, flexible 4+) => offset leaderEpoch metadata commitTimestamp expireTimestamp
 *       <0: topicId>
 *   offset => INT64
 *   leaderEpoch (3+) => INT32
 *   metadata => STRING
 *   commitTimestamp => INT64
 *   expireTimestamp (1) => INT64
 *   topicId (4+) => UUID
 * ```
 */
export const offsetCommitValue = defineMessage({
  name: "OffsetCommitValue",
  versions: "0-4",
  flexibleVersions: "4+",
  fields: {
    offset: int64(),
    leaderEpoch: int32({ versions: "3+", default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ versions: "1", default: -1n, ignorable: true }),
    topicId: uuid({ versions: "4+", tag: 0, ignorable: true }),
  },
});

/**
 * The key of a group's metadata in the topic `__consumer_offsets`, after its version, which is 2: it tells it
 * from the other keys of the topic.
 *
 * ```text
 * GroupMetadataKey (2) => group
 *   group => STRING
 * ```
 */
export const groupMetadataKey = defineMessage({
  name: "GroupMetadataKey",
  versions: "2",
  flexibleVersions: "none",
  fields: {
    group: string(),
  },
});

/**
 * A group and its members in the topic `__consumer_offsets`, after its version.
 *
 * ```text
 * GroupMetadataValue (0-4, flexible 4+) => protocolType generation protocol leader currentStateTimestamp
 *       [members]
 *   protocolType => STRING
 *   generation => INT32
 *   protocol (nullable) => STRING
 *   leader (nullable) => STRING
 *   currentStateTimestamp (2+) => INT64
 *   members => memberId groupInstanceId clientId clientHost rebalanceTimeout sessionTimeout subscription
 *         assignment
 *     memberId => STRING
 *     groupInstanceId (3+, nullable) => STRING
 *     clientId => STRING
 *     clientHost => STRING
 *     rebalanceTimeout (1+) => INT32
 *     sessionTimeout => INT32
 *     subscription => BYTES
 *     assignment => BYTES
 * ```
 */
export const groupMetadataValue = defineMessage({
  name: "GroupMetadataValue",
  versions: "0-4",
  flexibleVersions: "4+",
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: "0+" }),
    leader: string({ nullable: "0+" }),
    currentStateTimestamp: int64({ versions: "2+", default: -1n, ignorable: true }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ versions: "3+", nullable: "0+", default: null, ignorable: true }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ versions: "1+", default: -1, ignorable: true }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
});

/** A key of {@linkcode offsetCommitKey}. */
export type OffsetCommitKey = MessageValue<typeof offsetCommitKey>;
/** A value of {@linkcode offsetCommitValue}. */
export type OffsetCommitValue = MessageValue<typeof offsetCommitValue>;
/** A key of {@linkcode groupMetadataKey}. */
export type GroupMetadataKey = MessageValue<typeof groupMetadataKey>;
/** A value of {@linkcode groupMetadataValue}. */
export type GroupMetadataValue = MessageValue<typeof groupMetadataValue>;
