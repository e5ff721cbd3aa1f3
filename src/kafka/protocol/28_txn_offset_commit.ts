import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Commits offsets of a group as part of a transaction.
 *
 * - version 3: with generation and member, to fence those that left
 *
 * ```text
 * TxnOffsetCommitRequest (0-4, flexible 3+) => transactionalId groupId producerId producerEpoch generationId
 *       memberId groupInstanceId [topics]
 *   transactionalId => STRING
 *   groupId => STRING
 *   producerId => INT64
 *   producerEpoch => INT16
 *   generationId (3+) => INT32
 *   memberId (3+) => STRING
 *   groupInstanceId (3+, nullable) => STRING
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex committedOffset committedLeaderEpoch committedMetadata
 *       partitionIndex => INT32
 *       committedOffset => INT64
 *       committedLeaderEpoch (2+) => INT32
 *       committedMetadata (nullable) => STRING
 * TxnOffsetCommitResponse (0-4, flexible 3+) => throttleTimeMs [topics]
 *   throttleTimeMs => INT32
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex errorCode
 *       partitionIndex => INT32
 *       errorCode => INT16
 * ```
 */
export const txnOffsetCommitApi = defineApi({
  key: 28,
  name: "TxnOffsetCommit",
  versions: "0-4",
  flexibleVersions: "3+",
  request: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationId: int32({ versions: "3+", default: -1 }),
    memberId: string({ versions: "3+", default: "" }),
    groupInstanceId: string({ versions: "3+", nullable: "0+", default: null }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ versions: "2+", default: -1, ignorable: true }),
        committedMetadata: string({ nullable: "0+" }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
});

/** A request of {@linkcode txnOffsetCommitApi}. */
export type TxnOffsetCommitRequest = RequestOf<typeof txnOffsetCommitApi>;
/** A response of {@linkcode txnOffsetCommitApi}. */
export type TxnOffsetCommitResponse = ResponseOf<typeof txnOffsetCommitApi>;
