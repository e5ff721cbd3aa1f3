import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, string, struct, uuid } from "./definition/fields.ts";

/**
 * Says that a member of a group of the new protocol is alive, and carries its assignment.
 *
 * `memberEpoch` is 0 to join, -1 to leave, -2 to leave for a while as a static member. A field that is null
 * has not changed.
 *
 * ```text
 * ConsumerGroupHeartbeatRequest (0-1, flexible 0+) => groupId memberId memberEpoch instanceId rackId
 *       rebalanceTimeoutMs [subscribedTopicNames] subscribedTopicRegex serverAssignor [topicPartitions]
 *   groupId => STRING
 *   memberId => STRING
 *   memberEpoch => INT32
 *   instanceId (nullable) => STRING
 *   rackId (nullable) => STRING
 *   rebalanceTimeoutMs => INT32
 *   subscribedTopicNames (nullable) => STRING
 *   subscribedTopicRegex (1+, nullable) => STRING
 *   serverAssignor (nullable) => STRING
 *   topicPartitions (nullable) => topicId [partitions]
 *     topicId => UUID
 *     partitions => INT32
 * ConsumerGroupHeartbeatResponse (0-1, flexible 0+) => throttleTimeMs errorCode errorMessage memberId
 *       memberEpoch heartbeatIntervalMs assignment
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   errorMessage (nullable) => STRING
 *   memberId (nullable) => STRING
 *   memberEpoch => INT32
 *   heartbeatIntervalMs => INT32
 *   assignment (nullable) => [topicPartitions]
 *     topicPartitions => topicId [partitions]
 *       topicId => UUID
 *       partitions => INT32
 * ```
 */
export const consumerGroupHeartbeatApi = defineApi({
  key: 68,
  name: "ConsumerGroupHeartbeat",
  versions: "0-1",
  flexibleVersions: "0+",
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: "0+", default: null }),
    rackId: string({ nullable: "0+", default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: "0+", default: null }),
    subscribedTopicRegex: string({ versions: "1+", nullable: "0+", default: null }),
    serverAssignor: string({ nullable: "0+", default: null }),
    topicPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
    }, { nullable: "0+", default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: "0+", default: null }),
    memberId: string({ nullable: "0+", default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct({
      topicPartitions: array({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    }, { nullable: "0+", default: null }),
  },
});

/** A request of {@linkcode consumerGroupHeartbeatApi}. */
export type ConsumerGroupHeartbeatRequest = RequestOf<typeof consumerGroupHeartbeatApi>;
/** A response of {@linkcode consumerGroupHeartbeatApi}. */
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeatApi>;
