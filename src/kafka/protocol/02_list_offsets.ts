import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, int8, string } from "./definition/fields.ts";

/**
 * Finds offsets by time.
 *
 * `timestamp` is milliseconds, or -1 the latest offset, -2 the earliest, -3 (7) that of the greatest
 * timestamp, -4 (8) the earliest in local storage.
 *
 * ```text
 * ListOffsetsRequest (1-8, flexible 6+) => replicaId isolationLevel [topics]
 *   replicaId => INT32
 *   isolationLevel (2+) => INT8
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex currentLeaderEpoch timestamp
 *       partitionIndex => INT32
 *       currentLeaderEpoch (4+) => INT32
 *       timestamp => INT64
 * ListOffsetsResponse (1-8, flexible 6+) => throttleTimeMs [topics]
 *   throttleTimeMs (2+) => INT32
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex errorCode timestamp offset leaderEpoch
 *       partitionIndex => INT32
 *       errorCode => INT16
 *       timestamp => INT64
 *       offset => INT64
 *       leaderEpoch (4+) => INT32
 * ```
 */
export const listOffsetsApi = defineApi({
  key: 2,
  name: "ListOffsets",
  versions: "1-8",
  flexibleVersions: "6+",
  request: {
    replicaId: int32(),
    isolationLevel: int8({ versions: "2+" }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ versions: "4+", default: -1, ignorable: true }),
        timestamp: int64(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: "2+", ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1n }),
        offset: int64({ default: -1n }),
        leaderEpoch: int32({ versions: "4+", default: -1 }),
      }),
    }),
  },
});

/** A request of {@linkcode listOffsetsApi}. */
export type ListOffsetsRequest = RequestOf<typeof listOffsetsApi>;
/** A response of {@linkcode listOffsetsApi}. */
export type ListOffsetsResponse = ResponseOf<typeof listOffsetsApi>;
