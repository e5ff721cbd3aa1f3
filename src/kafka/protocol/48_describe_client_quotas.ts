import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, float64, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Describes quotas that match a filter.
 *
 * ```text
 * DescribeClientQuotasRequest (0-1, flexible 1+) => [components] strict
 *   components => entityType matchType match
 *     entityType => STRING
 *     matchType => INT8
 *     match (nullable) => STRING
 *   strict => BOOL
 * DescribeClientQuotasResponse (0-1, flexible 1+) => throttleTimeMs errorCode errorMessage [entries]
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   errorMessage (nullable) => STRING
 *   entries (nullable) => [entity] [values]
 *     entity => entityType entityName
 *       entityType => STRING
 *       entityName (nullable) => STRING
 *     values => key value
 *       key => STRING
 *       value => FLOAT64
 * ```
 */
export const describeClientQuotasApi = defineApi({
  key: 48,
  name: "DescribeClientQuotas",
  versions: "0-1",
  flexibleVersions: "1+",
  request: {
    components: array({
      entityType: string(),
      matchType: int8(),
      match: string({ nullable: "0+" }),
    }),
    strict: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: "0+" }),
    entries: array({
      entity: array({
        entityType: string(),
        entityName: string({ nullable: "0+" }),
      }),
      values: array({
        key: string(),
        value: float64(),
      }),
    }, { nullable: "0+" }),
  },
});

/** A request of {@linkcode describeClientQuotasApi}. */
export type DescribeClientQuotasRequest = RequestOf<typeof describeClientQuotasApi>;
/** A response of {@linkcode describeClientQuotasApi}. */
export type DescribeClientQuotasResponse = ResponseOf<typeof describeClientQuotasApi>;
