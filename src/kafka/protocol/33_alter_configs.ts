import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Sets the whole configuration of a resource: what is not named gets its default.
 *
 * ```text
 * AlterConfigsRequest (0-2, flexible 2+) => [resources] validateOnly
 *   resources => resourceType resourceName [configs]
 *     resourceType => INT8
 *     resourceName => STRING
 *     configs => name value
 *       name => STRING
 *       value (nullable) => STRING
 *   validateOnly => BOOL
 * AlterConfigsResponse (0-2, flexible 2+) => throttleTimeMs [responses]
 *   throttleTimeMs => INT32
 *   responses => errorCode errorMessage resourceType resourceName
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     resourceType => INT8
 *     resourceName => STRING
 * ```
 */
export const alterConfigsApi = defineApi({
  key: 33,
  name: "AlterConfigs",
  versions: "0-2",
  flexibleVersions: "2+",
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: "0+" }),
      }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
});

/** A request of {@linkcode alterConfigsApi}. */
export type AlterConfigsRequest = RequestOf<typeof alterConfigsApi>;
/** A response of {@linkcode alterConfigsApi}. */
export type AlterConfigsResponse = ResponseOf<typeof alterConfigsApi>;
