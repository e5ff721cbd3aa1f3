import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Reads committed offsets of consumer groups.
 *
 * - version 7: `requireStable` waits for open transactions
 * - version 8: several groups in one request
 * - version 9: members of the new protocol
 *
 * ```text
 * OffsetFetchRequest (1-9, flexible 6+) => groupId [topics] [groups] requireStable
 *   groupId (1-7) => STRING
 *   topics (1-7, nullable 2-7) => name [partitionIndexes]
 *     name => STRING
 *     partitionIndexes => INT32
 *   groups (8+) => groupId memberId memberEpoch [topics]
 *     groupId => STRING
 *     memberId (9+, nullable) => STRING
 *     memberEpoch (9+) => INT32
 *     topics (nullable) => name [partitionIndexes]
 *       name => STRING
 *       partitionIndexes => INT32
 *   requireStable (7+) => BOOL
 * OffsetFetchResponse (1-9, flexible 6+) => throttleTimeMs [topics] errorCode [groups]
 *   throttleTimeMs (3+) => INT32
 *   topics (1-7) => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex committedOffset committedLeaderEpoch metadata errorCode
 *       partitionIndex => INT32
 *       committedOffset => INT64
 *       committedLeaderEpoch (5+) => INT32
 *       metadata (nullable) => STRING
 *       errorCode => INT16
 *   errorCode (2-7) => INT16
 *   groups (8+) => groupId [topics] errorCode
 *     groupId => STRING
 *     topics => name [partitions]
 *       name => STRING
 *       partitions => partitionIndex committedOffset committedLeaderEpoch metadata errorCode
 *         partitionIndex => INT32
 *         committedOffset => INT64
 *         committedLeaderEpoch => INT32
 *         metadata (nullable) => STRING
 *         errorCode => INT16
 *     errorCode => INT16
 * ```
 */
export const offsetFetchApi = defineApi({
  key: 9,
  name: "OffsetFetch",
  versions: "1-9",
  flexibleVersions: "6+",
  request: {
    groupId: string({ versions: "1-7" }),
    topics: array({
      name: string(),
      partitionIndexes: array(int32()),
    }, { versions: "1-7", nullable: "2-7" }),
    groups: array({
      groupId: string(),
      memberId: string({ versions: "9+", nullable: "0+", default: null, ignorable: true }),
      memberEpoch: int32({ versions: "9+", default: -1, ignorable: true }),
      topics: array({
        name: string(),
        partitionIndexes: array(int32()),
      }, { nullable: "0+" }),
    }, { versions: "8+" }),
    requireStable: bool({ versions: "7+", default: false }),
  },
  response: {
    throttleTimeMs: int32({ versions: "3+", ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ versions: "5+", default: -1, ignorable: true }),
        metadata: string({ nullable: "0+" }),
        errorCode: int16(),
      }),
    }, { versions: "1-7" }),
    errorCode: int16({ versions: "2-7", default: 0, ignorable: true }),
    groups: array({
      groupId: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ default: -1 }),
          metadata: string({ nullable: "0+" }),
          errorCode: int16(),
        }),
      }),
      errorCode: int16({ default: 0 }),
    }, { versions: "8+" }),
  },
});

/** A request of {@linkcode offsetFetchApi}. */
export type OffsetFetchRequest = RequestOf<typeof offsetFetchApi>;
/** A response of {@linkcode offsetFetchApi}. */
export type OffsetFetchResponse = ResponseOf<typeof offsetFetchApi>;
