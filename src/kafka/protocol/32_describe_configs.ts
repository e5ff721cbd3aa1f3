import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Describes the configuration of topics and brokers.
 *
 * `configurationKeys` null means all.
 *
 * ```text
 * DescribeConfigsRequest (1-4, flexible 4+) => [resources] includeSynonyms includeDocumentation
 *   resources => resourceType resourceName [configurationKeys]
 *     resourceType => INT8
 *     resourceName => STRING
 *     configurationKeys (nullable) => STRING
 *   includeSynonyms => BOOL
 *   includeDocumentation (3+) => BOOL
 * DescribeConfigsResponse (1-4, flexible 4+) => throttleTimeMs [results]
 *   throttleTimeMs => INT32
 *   results => errorCode errorMessage resourceType resourceName [configs]
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     resourceType => INT8
 *     resourceName => STRING
 *     configs => name value readOnly configSource isSensitive [synonyms] configType documentation
 *       name => STRING
 *       value (nullable) => STRING
 *       readOnly => BOOL
 *       configSource => INT8
 *       isSensitive => BOOL
 *       synonyms => name value source
 *         name => STRING
 *         value (nullable) => STRING
 *         source => INT8
 *       configType (3+) => INT8
 *       documentation (3+, nullable 1+) => STRING
 * ```
 */
export const describeConfigsApi = defineApi({
  key: 32,
  name: "DescribeConfigs",
  versions: "1-4",
  flexibleVersions: "4+",
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: array(string(), { nullable: "0+" }),
    }),
    includeSynonyms: bool({ default: false }),
    includeDocumentation: bool({ versions: "3+", default: false }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: "0+" }),
        readOnly: bool(),
        configSource: int8({ default: -1 }),
        isSensitive: bool(),
        synonyms: array({
          name: string(),
          value: string({ nullable: "0+" }),
          source: int8(),
        }),
        configType: int8({ versions: "3+", default: 0, ignorable: true }),
        documentation: string({ versions: "3+", nullable: "1+", ignorable: true }),
      }),
    }),
  },
});

/** A request of {@linkcode describeConfigsApi}. */
export type DescribeConfigsRequest = RequestOf<typeof describeConfigsApi>;
/** A response of {@linkcode describeConfigsApi}. */
export type DescribeConfigsResponse = ResponseOf<typeof describeConfigsApi>;
