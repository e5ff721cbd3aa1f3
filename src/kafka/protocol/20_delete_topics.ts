import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, string, uuid } from "./definition/fields.ts";

/**
 * Deletes topics.
 *
 * - version 6: by name or by id
 *
 * ```text
 * DeleteTopicsRequest (1-6, flexible 4+) => [topics] [topicNames] timeoutMs
 *   topics (6+) => name topicId
 *     name (nullable) => STRING
 *     topicId => UUID
 *   topicNames (1-5) => STRING
 *   timeoutMs => INT32
 * DeleteTopicsResponse (1-6, flexible 4+) => throttleTimeMs [responses]
 *   throttleTimeMs => INT32
 *   responses => name topicId errorCode errorMessage
 *     name (nullable 6+) => STRING
 *     topicId (6+) => UUID
 *     errorCode => INT16
 *     errorMessage (5+, nullable) => STRING
 * ```
 */
export const deleteTopicsApi = defineApi({
  key: 20,
  name: "DeleteTopics",
  versions: "1-6",
  flexibleVersions: "4+",
  request: {
    topics: array({
      name: string({ nullable: "0+", default: null }),
      topicId: uuid(),
    }, { versions: "6+" }),
    topicNames: array(string(), { versions: "1-5", ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      name: string({ nullable: "6+" }),
      topicId: uuid({ versions: "6+", ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
    }),
  },
});

/** A request of {@linkcode deleteTopicsApi}. */
export type DeleteTopicsRequest = RequestOf<typeof deleteTopicsApi>;
/** A response of {@linkcode deleteTopicsApi}. */
export type DeleteTopicsResponse = ResponseOf<typeof deleteTopicsApi>;
