import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Describes the cluster.
 *
 * - version 1: `endpointType` is 1 for brokers, 2 for controllers
 *
 * ```text
 * DescribeClusterRequest (0-1, flexible 0+) => includeClusterAuthorizedOperations endpointType
 *   includeClusterAuthorizedOperations => BOOL
 *   endpointType (1+) => INT8
 * DescribeClusterResponse (0-1, flexible 0+) => throttleTimeMs errorCode errorMessage endpointType clusterId
 *       controllerId [brokers] clusterAuthorizedOperations
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   errorMessage (nullable) => STRING
 *   endpointType (1+) => INT8
 *   clusterId => STRING
 *   controllerId => INT32
 *   brokers => brokerId host port rack
 *     brokerId => INT32
 *     host => STRING
 *     port => INT32
 *     rack (nullable) => STRING
 *   clusterAuthorizedOperations => INT32
 * ```
 */
export const describeClusterApi = defineApi({
  key: 60,
  name: "DescribeCluster",
  versions: "0-1",
  flexibleVersions: "0+",
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ versions: "1+", default: 1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: "0+", default: null }),
    endpointType: int8({ versions: "1+", default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: "0+", default: null }),
    }),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
});

/** A request of {@linkcode describeClusterApi}. */
export type DescribeClusterRequest = RequestOf<typeof describeClusterApi>;
/** A response of {@linkcode describeClusterApi}. */
export type DescribeClusterResponse = ResponseOf<typeof describeClusterApi>;
