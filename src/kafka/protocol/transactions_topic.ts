import { array, int16, int32, int64, int8, string } from "./definition/fields.ts";
import { defineMessage, type MessageValue } from "./definition/message.ts";

/**
 * The key of a transactional id in the topic `__transaction_state`, after its version.
 *
 * ```text
 * TransactionLogKey (0) => transactionalId
 *   transactionalId => STRING
 * ```
 */
export const transactionLogKey = defineMessage({
  name: "TransactionLogKey",
  versions: "0",
  flexibleVersions: "none",
  fields: {
    transactionalId: string(),
  },
});

/**
 * What is known of a transactional id, in the topic `__transaction_state`, after its version.
 *
 * ```text
 * TransactionLogValue (0-1, flexible 1+) => producerId <0: previousProducerId> <1: nextProducerId>
 *       producerEpoch <3: nextProducerEpoch> transactionTimeoutMs transactionStatus [transactionPartitions]
 *       transactionLastUpdateTimestampMs transactionStartTimestampMs <2: clientTransactionVersion>
 *   producerId => INT64
 *   previousProducerId (1+) => INT64
 *   nextProducerId (1+) => INT64
 *   producerEpoch => INT16
 *   nextProducerEpoch (1+) => INT16
 *   transactionTimeoutMs => INT32
 *   transactionStatus => INT8
 *   transactionPartitions (nullable) => topic [partitionIds]
 *     topic => STRING
 *     partitionIds => INT32
 *   transactionLastUpdateTimestampMs => INT64
 *   transactionStartTimestampMs => INT64
 *   clientTransactionVersion (1+) => INT16
 * ```
 */
export const transactionLogValue = defineMessage({
  name: "TransactionLogValue",
  versions: "0-1",
  flexibleVersions: "1+",
  fields: {
    producerId: int64(),
    previousProducerId: int64({ versions: "1+", tag: 0, default: -1n }),
    nextProducerId: int64({ versions: "1+", tag: 1, default: -1n }),
    producerEpoch: int16(),
    nextProducerEpoch: int16({ versions: "1+", tag: 3, default: -1 }),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({
      topic: string(),
      partitionIds: array(int32()),
    }, { nullable: "0+" }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16({ versions: "1+", tag: 2, default: 0 }),
  },
});

/** A key of {@linkcode transactionLogKey}. */
export type TransactionLogKey = MessageValue<typeof transactionLogKey>;
/** A value of {@linkcode transactionLogValue}. */
export type TransactionLogValue = MessageValue<typeof transactionLogValue>;
