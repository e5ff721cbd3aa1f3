import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Tells where an epoch of a leader ends, so that a log that was cut is noticed.
 *
 * ```text
 * OffsetForLeaderEpochRequest (2-4, flexible 4+) => replicaId [topics]
 *   replicaId (3+) => INT32
 *   topics => topic [partitions]
 *     topic => STRING
 *     partitions => partition currentLeaderEpoch leaderEpoch
 *       partition => INT32
 *       currentLeaderEpoch => INT32
 *       leaderEpoch => INT32
 * OffsetForLeaderEpochResponse (2-4, flexible 4+) => throttleTimeMs [topics]
 *   throttleTimeMs => INT32
 *   topics => topic [partitions]
 *     topic => STRING
 *     partitions => errorCode partition leaderEpoch endOffset
 *       errorCode => INT16
 *       partition => INT32
 *       leaderEpoch => INT32
 *       endOffset => INT64
 * ```
 */
export const offsetForLeaderEpochApi = defineApi({
  key: 23,
  name: "OffsetForLeaderEpoch",
  versions: "2-4",
  flexibleVersions: "4+",
  request: {
    replicaId: int32({ versions: "3+", default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ default: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ default: -1 }),
        endOffset: int64({ default: -1n }),
      }),
    }),
  },
});

/** A request of {@linkcode offsetForLeaderEpochApi}. */
export type OffsetForLeaderEpochRequest = RequestOf<typeof offsetForLeaderEpochApi>;
/** A response of {@linkcode offsetForLeaderEpochApi}. */
export type OffsetForLeaderEpochResponse = ResponseOf<typeof offsetForLeaderEpochApi>;
