import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { int16, int32, string } from "./definition/fields.ts";

/**
 * Says that a member of a group is alive.
 *
 * ```text
 * HeartbeatRequest (0-4, flexible 4+) => groupId generationId memberId groupInstanceId
 *   groupId => STRING
 *   generationId => INT32
 *   memberId => STRING
 *   groupInstanceId (3+, nullable) => STRING
 * HeartbeatResponse (0-4, flexible 4+) => throttleTimeMs errorCode
 *   throttleTimeMs (1+) => INT32
 *   errorCode => INT16
 * ```
 */
export const heartbeatApi = defineApi({
  key: 12,
  name: "Heartbeat",
  versions: "0-4",
  flexibleVersions: "4+",
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: "3+", nullable: "0+", default: null }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    errorCode: int16(),
  },
});

/** A request of {@linkcode heartbeatApi}. */
export type HeartbeatRequest = RequestOf<typeof heartbeatApi>;
/** A response of {@linkcode heartbeatApi}. */
export type HeartbeatResponse = ResponseOf<typeof heartbeatApi>;
