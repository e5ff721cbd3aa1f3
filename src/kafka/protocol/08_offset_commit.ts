import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Commits offsets of a consumer group.
 *
 * ```text
 * OffsetCommitRequest (2-9, flexible 8+) => groupId generationIdOrMemberEpoch memberId groupInstanceId
 *       retentionTimeMs [topics]
 *   groupId => STRING
 *   generationIdOrMemberEpoch => INT32
 *   memberId => STRING
 *   groupInstanceId (7+, nullable) => STRING
 *   retentionTimeMs (2-4) => INT64
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex committedOffset committedLeaderEpoch committedMetadata
 *       partitionIndex => INT32
 *       committedOffset => INT64
 *       committedLeaderEpoch (6+) => INT32
 *       committedMetadata (nullable) => STRING
 * OffsetCommitResponse (2-9, flexible 8+) => throttleTimeMs [topics]
 *   throttleTimeMs (3+) => INT32
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex errorCode
 *       partitionIndex => INT32
 *       errorCode => INT16
 * ```
 */
export const offsetCommitApi = defineApi({
  key: 8,
  name: "OffsetCommit",
  versions: "2-9",
  flexibleVersions: "8+",
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1 }),
    memberId: string(),
    groupInstanceId: string({ versions: "7+", nullable: "0+", default: null }),
    retentionTimeMs: int64({ versions: "2-4", default: -1n, ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ versions: "6+", default: -1, ignorable: true }),
        committedMetadata: string({ nullable: "0+" }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: "3+", ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
});

/** A request of {@linkcode offsetCommitApi}. */
export type OffsetCommitRequest = RequestOf<typeof offsetCommitApi>;
/** A response of {@linkcode offsetCommitApi}. */
export type OffsetCommitResponse = ResponseOf<typeof offsetCommitApi>;
