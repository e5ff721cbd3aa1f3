import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, string, uuid } from "./definition/fields.ts";

/**
 * Tells brokers, topics and their partitions.
 *
 * `topics` null means all; in version 0 an empty list does.
 *
 * - version 10: topics have ids; 12: and may be asked for by them
 *
 * ```text
 * MetadataRequest (0-12, flexible 9+) => [topics] allowAutoTopicCreation includeClusterAuthorizedOperations
 *       includeTopicAuthorizedOperations
 *   topics (nullable 1+) => topicId name
 *     topicId (10+) => UUID
 *     name (nullable 10+) => STRING
 *   allowAutoTopicCreation (4+) => BOOL
 *   includeClusterAuthorizedOperations (8-10) => BOOL
 *   includeTopicAuthorizedOperations (8+) => BOOL
 * MetadataResponse (0-12, flexible 9+) => throttleTimeMs [brokers] clusterId controllerId [topics]
 *       clusterAuthorizedOperations
 *   throttleTimeMs (3+) => INT32
 *   brokers => nodeId host port rack
 *     nodeId => INT32
 *     host => STRING
 *     port => INT32
 *     rack (1+, nullable) => STRING
 *   clusterId (2+, nullable) => STRING
 *   controllerId (1+) => INT32
 *   topics => errorCode name topicId isInternal [partitions] topicAuthorizedOperations
 *     errorCode => INT16
 *     name (nullable 12+) => STRING
 *     topicId (10+) => UUID
 *     isInternal (1+) => BOOL
 *     partitions => errorCode partitionIndex leaderId leaderEpoch [replicaNodes] [isrNodes]
 *           [offlineReplicas]
 *       errorCode => INT16
 *       partitionIndex => INT32
 *       leaderId => INT32
 *       leaderEpoch (7+) => INT32
 *       replicaNodes => INT32
 *       isrNodes => INT32
 *       offlineReplicas (5+) => INT32
 *     topicAuthorizedOperations (8+) => INT32
 *   clusterAuthorizedOperations (8-10) => INT32
 * ```
 */
export const metadataApi = defineApi({
  key: 3,
  name: "Metadata",
  versions: "0-12",
  flexibleVersions: "9+",
  request: {
    topics: array({
      topicId: uuid({ versions: "10+", ignorable: true }),
      name: string({ nullable: "10+" }),
    }, { nullable: "1+" }),
    allowAutoTopicCreation: bool({ versions: "4+", default: true }),
    includeClusterAuthorizedOperations: bool({ versions: "8-10" }),
    includeTopicAuthorizedOperations: bool({ versions: "8+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "3+", ignorable: true }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ versions: "1+", nullable: "0+", default: null, ignorable: true }),
    }),
    clusterId: string({ versions: "2+", nullable: "0+", default: null, ignorable: true }),
    controllerId: int32({ versions: "1+", default: -1, ignorable: true }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: "12+" }),
      topicId: uuid({ versions: "10+", ignorable: true }),
      isInternal: bool({ versions: "1+", default: false, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ versions: "7+", default: -1, ignorable: true }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { versions: "5+", ignorable: true }),
      }),
      topicAuthorizedOperations: int32({ versions: "8+", default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ versions: "8-10", default: -2147483648 }),
  },
});

/** A request of {@linkcode metadataApi}. */
export type MetadataRequest = RequestOf<typeof metadataApi>;
/** A response of {@linkcode metadataApi}. */
export type MetadataResponse = ResponseOf<typeof metadataApi>;
