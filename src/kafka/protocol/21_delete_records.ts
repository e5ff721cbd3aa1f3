import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Deletes the records before an offset; -1 means all.
 *
 * ```text
 * DeleteRecordsRequest (0-2, flexible 2+) => [topics] timeoutMs
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex offset
 *       partitionIndex => INT32
 *       offset => INT64
 *   timeoutMs => INT32
 * DeleteRecordsResponse (0-2, flexible 2+) => throttleTimeMs [topics]
 *   throttleTimeMs => INT32
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex lowWatermark errorCode
 *       partitionIndex => INT32
 *       lowWatermark => INT64
 *       errorCode => INT16
 * ```
 */
export const deleteRecordsApi = defineApi({
  key: 21,
  name: "DeleteRecords",
  versions: "0-2",
  flexibleVersions: "2+",
  request: {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        offset: int64(),
      }),
    }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
});

/** A request of {@linkcode deleteRecordsApi}. */
export type DeleteRecordsRequest = RequestOf<typeof deleteRecordsApi>;
/** A response of {@linkcode deleteRecordsApi}. */
export type DeleteRecordsResponse = ResponseOf<typeof deleteRecordsApi>;
