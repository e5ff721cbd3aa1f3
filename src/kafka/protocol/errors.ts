/** One error code of the protocol. */
export interface KafkaError {
  readonly code: number;
  /** Kafka's name: `NOT_LEADER_OR_FOLLOWER`. */
  readonly name: KafkaErrorName;
  /** Whether the same request may succeed later, as Kafka's own clients see it. */
  readonly retriable: boolean;
  /** What it means, for people. */
  readonly message: string;
}

const RETRIABLE = true;
const FINAL = false;

/** Every code that Apache Kafka 4.3 knows: name, code, whether trying again may help, meaning. */
const table = [
  ["UNKNOWN_SERVER_ERROR", -1, FINAL, "The broker met an error that it did not expect"],
  ["NONE", 0, FINAL, "No error"],
  ["OFFSET_OUT_OF_RANGE", 1, FINAL, "The partition has no such offset"],
  ["CORRUPT_MESSAGE", 2, RETRIABLE, "The records are damaged: their checksum or their size is wrong"],
  ["UNKNOWN_TOPIC_OR_PARTITION", 3, RETRIABLE, "This broker has no such topic or partition"],
  ["INVALID_FETCH_SIZE", 4, FINAL, "The size to fetch is not valid"],
  ["LEADER_NOT_AVAILABLE", 5, RETRIABLE, "The partition has no leader at present"],
  [
    "NOT_LEADER_OR_FOLLOWER",
    6,
    RETRIABLE,
    "This broker is not the leader or follower that the request needs",
  ],
  ["REQUEST_TIMED_OUT", 7, RETRIABLE, "The request took too long"],
  ["BROKER_NOT_AVAILABLE", 8, FINAL, "The broker is not available"],
  ["REPLICA_NOT_AVAILABLE", 9, RETRIABLE, "The replica of the partition is not available"],
  ["MESSAGE_TOO_LARGE", 10, FINAL, "The records are larger than the topic accepts"],
  ["STALE_CONTROLLER_EPOCH", 11, FINAL, "The controller has moved to another broker"],
  ["OFFSET_METADATA_TOO_LARGE", 12, FINAL, "The metadata of the committed offset is too large"],
  ["NETWORK_EXCEPTION", 13, RETRIABLE, "The connection ended before the response came"],
  ["COORDINATOR_LOAD_IN_PROGRESS", 14, RETRIABLE, "The coordinator is still loading"],
  ["COORDINATOR_NOT_AVAILABLE", 15, RETRIABLE, "The coordinator is not available"],
  ["NOT_COORDINATOR", 16, RETRIABLE, "This broker is not the coordinator"],
  ["INVALID_TOPIC_EXCEPTION", 17, FINAL, "The topic's name is not valid, or the operation not allowed on it"],
  ["RECORD_LIST_TOO_LARGE", 18, FINAL, "The batch is larger than a segment of the log"],
  ["NOT_ENOUGH_REPLICAS", 19, RETRIABLE, "Fewer replicas are in sync than the topic requires"],
  [
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    20,
    RETRIABLE,
    "The records are written, to fewer replicas in sync than the topic requires",
  ],
  ["INVALID_REQUIRED_ACKS", 21, FINAL, "acks must be 0, 1 or -1"],
  ["ILLEGAL_GENERATION", 22, FINAL, "The group has another generation"],
  ["INCONSISTENT_GROUP_PROTOCOL", 23, FINAL, "The member shares no protocol with the group"],
  ["INVALID_GROUP_ID", 24, FINAL, "The group id is not valid"],
  ["UNKNOWN_MEMBER_ID", 25, FINAL, "The group has no such member"],
  ["INVALID_SESSION_TIMEOUT", 26, FINAL, "The session timeout is outside the bounds of the broker"],
  ["REBALANCE_IN_PROGRESS", 27, FINAL, "The group is rebalancing: join again"],
  ["INVALID_COMMIT_OFFSET_SIZE", 28, FINAL, "The offset to commit is too large"],
  ["TOPIC_AUTHORIZATION_FAILED", 29, FINAL, "Access to the topic is not allowed"],
  ["GROUP_AUTHORIZATION_FAILED", 30, FINAL, "Access to the group is not allowed"],
  ["CLUSTER_AUTHORIZATION_FAILED", 31, FINAL, "Access to the cluster is not allowed"],
  ["INVALID_TIMESTAMP", 32, FINAL, "A record's timestamp is outside the bounds of the topic"],
  ["UNSUPPORTED_SASL_MECHANISM", 33, FINAL, "The broker does not have this mechanism of SASL"],
  ["ILLEGAL_SASL_STATE", 34, FINAL, "The request is not allowed at this step of SASL"],
  ["UNSUPPORTED_VERSION", 35, FINAL, "The broker does not have this version of the API"],
  ["TOPIC_ALREADY_EXISTS", 36, FINAL, "A topic of this name exists"],
  ["INVALID_PARTITIONS", 37, FINAL, "The number of partitions is not valid"],
  ["INVALID_REPLICATION_FACTOR", 38, FINAL, "The replication factor is not valid"],
  ["INVALID_REPLICA_ASSIGNMENT", 39, FINAL, "The assignment of replicas is not valid"],
  ["INVALID_CONFIG", 40, FINAL, "The configuration is not valid"],
  ["NOT_CONTROLLER", 41, RETRIABLE, "This broker is not the controller"],
  ["INVALID_REQUEST", 42, FINAL, "The request is not valid"],
  ["UNSUPPORTED_FOR_MESSAGE_FORMAT", 43, FINAL, "The format of the records does not allow this"],
  ["POLICY_VIOLATION", 44, FINAL, "A policy of the broker forbids this"],
  ["OUT_OF_ORDER_SEQUENCE_NUMBER", 45, FINAL, "The producer's sequence number is not the one that follows"],
  ["DUPLICATE_SEQUENCE_NUMBER", 46, FINAL, "The producer's sequence number was used already"],
  ["INVALID_PRODUCER_EPOCH", 47, FINAL, "The producer has an old epoch"],
  ["INVALID_TXN_STATE", 48, FINAL, "The transaction is in a state that does not allow this"],
  ["INVALID_PRODUCER_ID_MAPPING", 49, FINAL, "The transactional id belongs to another producer id"],
  ["INVALID_TRANSACTION_TIMEOUT", 50, FINAL, "The transaction timeout is above the limit of the broker"],
  ["CONCURRENT_TRANSACTIONS", 51, RETRIABLE, "The last transaction of this producer is still ending"],
  ["TRANSACTION_COORDINATOR_FENCED", 52, FINAL, "The transaction coordinator has moved"],
  ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", 53, FINAL, "Access to the transactional id is not allowed"],
  ["SECURITY_DISABLED", 54, FINAL, "Security is switched off"],
  ["OPERATION_NOT_ATTEMPTED", 55, FINAL, "The operation was not tried: another one of the request failed"],
  ["KAFKA_STORAGE_ERROR", 56, RETRIABLE, "The broker's disk failed"],
  ["LOG_DIR_NOT_FOUND", 57, FINAL, "The broker has no such log directory"],
  ["SASL_AUTHENTICATION_FAILED", 58, FINAL, "Authentication failed"],
  ["UNKNOWN_PRODUCER_ID", 59, FINAL, "The broker knows nothing of this producer id"],
  ["REASSIGNMENT_IN_PROGRESS", 60, FINAL, "Partitions are being reassigned"],
  ["DELEGATION_TOKEN_AUTH_DISABLED", 61, FINAL, "Delegation tokens are switched off"],
  ["DELEGATION_TOKEN_NOT_FOUND", 62, FINAL, "The broker has no such delegation token"],
  ["DELEGATION_TOKEN_OWNER_MISMATCH", 63, FINAL, "The delegation token belongs to someone else"],
  ["DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", 64, FINAL, "This connection may not ask for delegation tokens"],
  ["DELEGATION_TOKEN_AUTHORIZATION_FAILED", 65, FINAL, "Access to delegation tokens is not allowed"],
  ["DELEGATION_TOKEN_EXPIRED", 66, FINAL, "The delegation token has expired"],
  ["INVALID_PRINCIPAL_TYPE", 67, FINAL, "The type of principal is not supported"],
  ["NON_EMPTY_GROUP", 68, FINAL, "The group has members"],
  ["GROUP_ID_NOT_FOUND", 69, FINAL, "There is no such group"],
  ["FETCH_SESSION_ID_NOT_FOUND", 70, RETRIABLE, "There is no such fetch session"],
  ["INVALID_FETCH_SESSION_EPOCH", 71, RETRIABLE, "The fetch session has another epoch"],
  ["LISTENER_NOT_FOUND", 72, RETRIABLE, "The leader has no listener like the one that was asked"],
  ["TOPIC_DELETION_DISABLED", 73, FINAL, "Deleting topics is switched off"],
  ["FENCED_LEADER_EPOCH", 74, RETRIABLE, "The request has an old leader epoch"],
  ["UNKNOWN_LEADER_EPOCH", 75, RETRIABLE, "The request has a leader epoch that the broker does not know yet"],
  ["UNSUPPORTED_COMPRESSION_TYPE", 76, FINAL, "The client's version does not know this compression"],
  ["STALE_BROKER_EPOCH", 77, FINAL, "The broker's epoch is old"],
  [
    "OFFSET_NOT_AVAILABLE",
    78,
    RETRIABLE,
    "The high watermark has not caught up after a change of the leader",
  ],
  ["MEMBER_ID_REQUIRED", 79, FINAL, "Join again with the member id of this response"],
  ["PREFERRED_LEADER_NOT_AVAILABLE", 80, RETRIABLE, "The preferred leader is not available"],
  ["GROUP_MAX_SIZE_REACHED", 81, FINAL, "The group has as many members as it may"],
  ["FENCED_INSTANCE_ID", 82, FINAL, "Another member has taken this static id"],
  ["ELIGIBLE_LEADERS_NOT_AVAILABLE", 83, RETRIABLE, "No replica that could lead is available"],
  ["ELECTION_NOT_NEEDED", 84, RETRIABLE, "The partition has its leader already"],
  ["NO_REASSIGNMENT_IN_PROGRESS", 85, FINAL, "No partition is being reassigned"],
  ["GROUP_SUBSCRIBED_TO_TOPIC", 86, FINAL, "The group consumes the topic: its offsets cannot be deleted"],
  ["INVALID_RECORD", 87, FINAL, "A record is not valid, and the batch is refused"],
  ["UNSTABLE_OFFSET_COMMIT", 88, RETRIABLE, "A transaction that commits offsets is still open"],
  ["THROTTLING_QUOTA_EXCEEDED", 89, RETRIABLE, "The quota is used up: try again after the throttle time"],
  ["PRODUCER_FENCED", 90, FINAL, "A newer producer has this transactional id"],
  ["RESOURCE_NOT_FOUND", 91, FINAL, "There is no such resource"],
  ["DUPLICATE_RESOURCE", 92, FINAL, "The request names a resource twice"],
  ["UNACCEPTABLE_CREDENTIAL", 93, FINAL, "The credential is not acceptable"],
  ["INCONSISTENT_VOTER_SET", 94, FINAL, "One side is a voter that the other does not expect"],
  ["INVALID_UPDATE_VERSION", 95, FINAL, "The version of the update is not valid"],
  ["FEATURE_UPDATE_FAILED", 96, FINAL, "The features were not changed"],
  ["PRINCIPAL_DESERIALIZATION_FAILURE", 97, FINAL, "The principal of a forwarded request cannot be read"],
  ["SNAPSHOT_NOT_FOUND", 98, FINAL, "There is no such snapshot"],
  ["POSITION_OUT_OF_RANGE", 99, FINAL, "The snapshot has no such position"],
  ["UNKNOWN_TOPIC_ID", 100, RETRIABLE, "This broker has no topic of this id"],
  ["DUPLICATE_BROKER_REGISTRATION", 101, FINAL, "The broker id is in use"],
  ["BROKER_ID_NOT_REGISTERED", 102, FINAL, "The broker id is not registered"],
  ["INCONSISTENT_TOPIC_ID", 103, RETRIABLE, "The topic in the log has another id"],
  ["INCONSISTENT_CLUSTER_ID", 104, FINAL, "The cluster has another id"],
  ["TRANSACTIONAL_ID_NOT_FOUND", 105, FINAL, "There is no such transactional id"],
  ["FETCH_SESSION_TOPIC_ID_ERROR", 106, RETRIABLE, "The fetch session names topics in another way"],
  ["INELIGIBLE_REPLICA", 107, FINAL, "The replica cannot be in sync"],
  ["NEW_LEADER_ELECTED", 108, FINAL, "The change has made another replica the leader"],
  ["OFFSET_MOVED_TO_TIERED_STORAGE", 109, FINAL, "The offset is in tiered storage"],
  ["FENCED_MEMBER_EPOCH", 110, FINAL, "The coordinator has fenced the member's epoch: join again"],
  ["UNRELEASED_INSTANCE_ID", 111, FINAL, "Another member has this static id still"],
  ["UNSUPPORTED_ASSIGNOR", 112, FINAL, "The group does not have this assignor"],
  ["STALE_MEMBER_EPOCH", 113, FINAL, "The member's epoch is old: heartbeat first"],
  ["MISMATCHED_ENDPOINT_TYPE", 114, FINAL, "The request went to an endpoint of the other type"],
  ["UNSUPPORTED_ENDPOINT_TYPE", 115, FINAL, "The type of endpoint is not supported"],
  ["UNKNOWN_CONTROLLER_ID", 116, FINAL, "There is no controller of this id"],
  ["UNKNOWN_SUBSCRIPTION_ID", 117, FINAL, "The telemetry subscription is not valid"],
  ["TELEMETRY_TOO_LARGE", 118, FINAL, "The telemetry is larger than the broker accepts"],
  ["INVALID_REGISTRATION", 119, FINAL, "The controller refuses the registration"],
  ["TRANSACTION_ABORTABLE", 120, FINAL, "The transaction must be aborted; the producer may go on after that"],
  ["INVALID_RECORD_STATE", 121, FINAL, "The record's state does not allow this acknowledgement"],
  ["SHARE_SESSION_NOT_FOUND", 122, RETRIABLE, "There is no such share session"],
  ["INVALID_SHARE_SESSION_EPOCH", 123, RETRIABLE, "The share session has another epoch"],
  ["FENCED_STATE_EPOCH", 124, FINAL, "The share coordinator has a newer epoch of the state"],
  ["INVALID_VOTER_KEY", 125, FINAL, "The voter's key is not the receiver's"],
  ["DUPLICATE_VOTER", 126, FINAL, "The voter is one already"],
  ["VOTER_NOT_FOUND", 127, FINAL, "There is no such voter"],
  ["INVALID_REGULAR_EXPRESSION", 128, FINAL, "The regular expression is not valid"],
  [
    "REBOOTSTRAP_REQUIRED",
    129,
    FINAL,
    "The client's metadata is too old: start again from the bootstrap addresses",
  ],
  ["STREAMS_INVALID_TOPOLOGY", 130, FINAL, "The topology is not valid"],
  ["STREAMS_INVALID_TOPOLOGY_EPOCH", 131, FINAL, "The topology's epoch is not valid"],
  ["STREAMS_TOPOLOGY_FENCED", 132, FINAL, "The topology's epoch is old"],
  ["SHARE_SESSION_LIMIT_REACHED", 133, RETRIABLE, "There are as many share sessions as there may be"],
] as const;

/** A name of Kafka's errors. */
export type KafkaErrorName = typeof table[number][0];

/** Every error of the protocol, by code. */
export const kafkaErrors: readonly KafkaError[] = table.map(([name, code, retriable, message]) => ({
  code,
  name,
  retriable,
  message,
}));

/** Codes by name: `ERROR_CODE.NOT_COORDINATOR`. */
export const ERROR_CODE: Readonly<Record<KafkaErrorName, number>> = Object.fromEntries(
  table.map(([name, code]) => [name, code]),
) as Record<KafkaErrorName, number>;

const errorsByCode: ReadonlyMap<number, KafkaError> = new Map(
  kafkaErrors.map((error) => [error.code, error]),
);

/** The error of `code`, or `undefined` for a code that a later Kafka may have. */
export function findError(code: number): KafkaError | undefined {
  return errorsByCode.get(code);
}
