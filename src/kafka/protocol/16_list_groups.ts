import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, string } from "./definition/fields.ts";

/**
 * Lists groups.
 *
 * - version 4: by states
 * - version 5: by types
 *
 * ```text
 * ListGroupsRequest (0-5, flexible 3+) => [statesFilter] [typesFilter]
 *   statesFilter (4+) => STRING
 *   typesFilter (5+) => STRING
 * ListGroupsResponse (0-5, flexible 3+) => throttleTimeMs errorCode [groups]
 *   throttleTimeMs (1+) => INT32
 *   errorCode => INT16
 *   groups => groupId protocolType groupState groupType
 *     groupId => STRING
 *     protocolType => STRING
 *     groupState (4+) => STRING
 *     groupType (5+) => STRING
 * ```
 */
export const listGroupsApi = defineApi({
  key: 16,
  name: "ListGroups",
  versions: "0-5",
  flexibleVersions: "3+",
  request: {
    statesFilter: array(string(), { versions: "4+" }),
    typesFilter: array(string(), { versions: "5+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ versions: "4+", ignorable: true }),
      groupType: string({ versions: "5+", ignorable: true }),
    }),
  },
});

/** A request of {@linkcode listGroupsApi}. */
export type ListGroupsRequest = RequestOf<typeof listGroupsApi>;
/** A response of {@linkcode listGroupsApi}. */
export type ListGroupsResponse = ResponseOf<typeof listGroupsApi>;
