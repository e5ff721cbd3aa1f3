import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, string } from "./definition/fields.ts";

/**
 * Deletes committed offsets of a group.
 *
 * ```text
 * OffsetDeleteRequest (0) => groupId [topics]
 *   groupId => STRING
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex
 *       partitionIndex => INT32
 * OffsetDeleteResponse (0) => errorCode throttleTimeMs [topics]
 *   errorCode => INT16
 *   throttleTimeMs => INT32
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex errorCode
 *       partitionIndex => INT32
 *       errorCode => INT16
 * ```
 */
export const offsetDeleteApi = defineApi({
  key: 47,
  name: "OffsetDelete",
  versions: "0",
  flexibleVersions: "none",
  request: {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
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

/** A request of {@linkcode offsetDeleteApi}. */
export type OffsetDeleteRequest = RequestOf<typeof offsetDeleteApi>;
/** A response of {@linkcode offsetDeleteApi}. */
export type OffsetDeleteResponse = ResponseOf<typeof offsetDeleteApi>;
