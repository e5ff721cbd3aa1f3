import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Finds the coordinator of a group or a transactional id.
 *
 * `keyType` is 0 for a group, 1 for a transactional id.
 *
 * - version 4: several keys in one request
 *
 * ```text
 * FindCoordinatorRequest (0-6, flexible 3+) => key keyType [coordinatorKeys]
 *   key (0-3) => STRING
 *   keyType (1+) => INT8
 *   coordinatorKeys (4+) => STRING
 * FindCoordinatorResponse (0-6, flexible 3+) => throttleTimeMs errorCode errorMessage nodeId host port
 *       [coordinators]
 *   throttleTimeMs (1+) => INT32
 *   errorCode (0-3) => INT16
 *   errorMessage (1-3, nullable) => STRING
 *   nodeId (0-3) => INT32
 *   host (0-3) => STRING
 *   port (0-3) => INT32
 *   coordinators (4+) => key nodeId host port errorCode errorMessage
 *     key => STRING
 *     nodeId => INT32
 *     host => STRING
 *     port => INT32
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 * ```
 */
export const findCoordinatorApi = defineApi({
  key: 10,
  name: "FindCoordinator",
  versions: "0-6",
  flexibleVersions: "3+",
  request: {
    key: string({ versions: "0-3" }),
    keyType: int8({ versions: "1+", default: 0 }),
    coordinatorKeys: array(string(), { versions: "4+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    errorCode: int16({ versions: "0-3" }),
    errorMessage: string({ versions: "1-3", nullable: "0+", ignorable: true }),
    nodeId: int32({ versions: "0-3" }),
    host: string({ versions: "0-3" }),
    port: int32({ versions: "0-3" }),
    coordinators: array({
      key: string(),
      nodeId: int32(),
      host: string(),
      port: int32(),
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
    }, { versions: "4+" }),
  },
});

/** A request of {@linkcode findCoordinatorApi}. */
export type FindCoordinatorRequest = RequestOf<typeof findCoordinatorApi>;
/** A response of {@linkcode findCoordinatorApi}. */
export type FindCoordinatorResponse = ResponseOf<typeof findCoordinatorApi>;
