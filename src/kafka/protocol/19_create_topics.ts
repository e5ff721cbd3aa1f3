import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int8, string, uuid } from "./definition/fields.ts";

/**
 * Creates topics.
 *
 * -1 for partitions or replicas means the broker's default (4).
 *
 * - version 7: the new topics' ids
 *
 * ```text
 * CreateTopicsRequest (2-7, flexible 5+) => [topics] timeoutMs validateOnly
 *   topics => name numPartitions replicationFactor [assignments] [configs]
 *     name => STRING
 *     numPartitions => INT32
 *     replicationFactor => INT16
 *     assignments => partitionIndex [brokerIds]
 *       partitionIndex => INT32
 *       brokerIds => INT32
 *     configs => name value
 *       name => STRING
 *       value (nullable) => STRING
 *   timeoutMs => INT32
 *   validateOnly => BOOL
 * CreateTopicsResponse (2-7, flexible 5+) => throttleTimeMs [topics]
 *   throttleTimeMs => INT32
 *   topics => name topicId errorCode errorMessage <0: topicConfigErrorCode> numPartitions replicationFactor
 *         [configs]
 *     name => STRING
 *     topicId (7+) => UUID
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     topicConfigErrorCode (5+) => INT16
 *     numPartitions (5+) => INT32
 *     replicationFactor (5+) => INT16
 *     configs (5+, nullable) => name value readOnly configSource isSensitive
 *       name => STRING
 *       value (nullable) => STRING
 *       readOnly => BOOL
 *       configSource => INT8
 *       isSensitive => BOOL
 * ```
 */
export const createTopicsApi = defineApi({
  key: 19,
  name: "CreateTopics",
  versions: "2-7",
  flexibleVersions: "5+",
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array(int32()),
      }),
      configs: array({
        name: string(),
        value: string({ nullable: "0+" }),
      }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool({ default: false }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      topicId: uuid({ versions: "7+", ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
      topicConfigErrorCode: int16({ versions: "5+", tag: 0, ignorable: true }),
      numPartitions: int32({ versions: "5+", default: -1, ignorable: true }),
      replicationFactor: int16({ versions: "5+", default: -1, ignorable: true }),
      configs: array({
        name: string(),
        value: string({ nullable: "0+" }),
        readOnly: bool(),
        configSource: int8({ default: -1 }),
        isSensitive: bool(),
      }, { versions: "5+", nullable: "0+", ignorable: true }),
    }),
  },
});

/** A request of {@linkcode createTopicsApi}. */
export type CreateTopicsRequest = RequestOf<typeof createTopicsApi>;
/** A response of {@linkcode createTopicsApi}. */
export type CreateTopicsResponse = ResponseOf<typeof createTopicsApi>;
