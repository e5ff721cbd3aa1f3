import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, float64, int16, int32, string } from "./definition/fields.ts";

/**
 * Changes quotas.
 *
 * ```text
 * AlterClientQuotasRequest (0-1, flexible 1+) => [entries] validateOnly
 *   entries => [entity] [ops]
 *     entity => entityType entityName
 *       entityType => STRING
 *       entityName (nullable) => STRING
 *     ops => key value remove
 *       key => STRING
 *       value => FLOAT64
 *       remove => BOOL
 *   validateOnly => BOOL
 * AlterClientQuotasResponse (0-1, flexible 1+) => throttleTimeMs [entries]
 *   throttleTimeMs => INT32
 *   entries => errorCode errorMessage [entity]
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     entity => entityType entityName
 *       entityType => STRING
 *       entityName (nullable) => STRING
 * ```
 */
export const alterClientQuotasApi = defineApi({
  key: 49,
  name: "AlterClientQuotas",
  versions: "0-1",
  flexibleVersions: "1+",
  request: {
    entries: array({
      entity: array({
        entityType: string(),
        entityName: string({ nullable: "0+" }),
      }),
      ops: array({
        key: string(),
        value: float64(),
        remove: bool(),
      }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    entries: array({
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
      entity: array({
        entityType: string(),
        entityName: string({ nullable: "0+" }),
      }),
    }),
  },
});

/** A request of {@linkcode alterClientQuotasApi}. */
export type AlterClientQuotasRequest = RequestOf<typeof alterClientQuotasApi>;
/** A response of {@linkcode alterClientQuotasApi}. */
export type AlterClientQuotasResponse = ResponseOf<typeof alterClientQuotasApi>;
