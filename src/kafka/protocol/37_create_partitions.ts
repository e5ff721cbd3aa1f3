import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, string } from "./definition/fields.ts";

/**
 * Raises the number of partitions of topics.
 *
 * ```text
 * CreatePartitionsRequest (0-3, flexible 2+) => [topics] timeoutMs validateOnly
 *   topics => name count [assignments]
 *     name => STRING
 *     count => INT32
 *     assignments (nullable) => [brokerIds]
 *       brokerIds => INT32
 *   timeoutMs => INT32
 *   validateOnly => BOOL
 * CreatePartitionsResponse (0-3, flexible 2+) => throttleTimeMs [results]
 *   throttleTimeMs => INT32
 *   results => name errorCode errorMessage
 *     name => STRING
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 * ```
 */
export const createPartitionsApi = defineApi({
  key: 37,
  name: "CreatePartitions",
  versions: "0-3",
  flexibleVersions: "2+",
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array({
        brokerIds: array(int32()),
      }, { nullable: "0+" }),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: "0+", default: null }),
    }),
  },
});

/** A request of {@linkcode createPartitionsApi}. */
export type CreatePartitionsRequest = RequestOf<typeof createPartitionsApi>;
/** A response of {@linkcode createPartitionsApi}. */
export type CreatePartitionsResponse = ResponseOf<typeof createPartitionsApi>;
