import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Gives a producer its id and epoch.
 *
 * - version 3: a producer that has one asks for the next epoch
 * - version 4: PRODUCER_FENCED
 *
 * ```text
 * InitProducerIdRequest (0-5, flexible 2+) => transactionalId transactionTimeoutMs producerId producerEpoch
 *   transactionalId (nullable) => STRING
 *   transactionTimeoutMs => INT32
 *   producerId (3+) => INT64
 *   producerEpoch (3+) => INT16
 * InitProducerIdResponse (0-5, flexible 2+) => throttleTimeMs errorCode producerId producerEpoch
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   producerId => INT64
 *   producerEpoch => INT16
 * ```
 */
export const initProducerIdApi = defineApi({
  key: 22,
  name: "InitProducerId",
  versions: "0-5",
  flexibleVersions: "2+",
  request: {
    transactionalId: string({ nullable: "0+" }),
    transactionTimeoutMs: int32(),
    producerId: int64({ versions: "3+", default: -1n }),
    producerEpoch: int16({ versions: "3+", default: -1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ default: -1n }),
    producerEpoch: int16(),
  },
});

/** A request of {@linkcode initProducerIdApi}. */
export type InitProducerIdRequest = RequestOf<typeof initProducerIdApi>;
/** A response of {@linkcode initProducerIdApi}. */
export type InitProducerIdResponse = ResponseOf<typeof initProducerIdApi>;
