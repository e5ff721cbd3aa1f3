import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Changes single values of a configuration.
 *
 * `configOperation` is 0 set, 1 delete, 2 append, 3 subtract.
 *
 * ```text
 * IncrementalAlterConfigsRequest (0-1, flexible 1+) => [resources] validateOnly
 *   resources => resourceType resourceName [configs]
 *     resourceType => INT8
 *     resourceName => STRING
 *     configs => name configOperation value
 *       name => STRING
 *       configOperation => INT8
 *       value (nullable) => STRING
 *   validateOnly => BOOL
 * IncrementalAlterConfigsResponse (0-1, flexible 1+) => throttleTimeMs [responses]
 *   throttleTimeMs => INT32
 *   responses => errorCode errorMessage resourceType resourceName
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     resourceType => INT8
 *     resourceName => STRING
 * ```
 */
export const incrementalAlterConfigsApi = defineApi({
  key: 44,
  name: "IncrementalAlterConfigs",
  versions: "0-1",
  flexibleVersions: "1+",
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        configOperation: int8(),
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

/** A request of {@linkcode incrementalAlterConfigsApi}. */
export type IncrementalAlterConfigsRequest = RequestOf<typeof incrementalAlterConfigsApi>;
/** A response of {@linkcode incrementalAlterConfigsApi}. */
export type IncrementalAlterConfigsResponse = ResponseOf<typeof incrementalAlterConfigsApi>;
