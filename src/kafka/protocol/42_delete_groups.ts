import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, string } from "./definition/fields.ts";

/**
 * Deletes groups.
 *
 * ```text
 * DeleteGroupsRequest (0-2, flexible 2+) => [groupsNames]
 *   groupsNames => STRING
 * DeleteGroupsResponse (0-2, flexible 2+) => throttleTimeMs [results]
 *   throttleTimeMs => INT32
 *   results => groupId errorCode
 *     groupId => STRING
 *     errorCode => INT16
 * ```
 */
export const deleteGroupsApi = defineApi({
  key: 42,
  name: "DeleteGroups",
  versions: "0-2",
  flexibleVersions: "2+",
  request: {
    groupsNames: array(string()),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      groupId: string(),
      errorCode: int16(),
    }),
  },
});

/** A request of {@linkcode deleteGroupsApi}. */
export type DeleteGroupsRequest = RequestOf<typeof deleteGroupsApi>;
/** A response of {@linkcode deleteGroupsApi}. */
export type DeleteGroupsResponse = ResponseOf<typeof deleteGroupsApi>;
