/**
 * Kafka's protocol, as bytes and back: one definition for each API, in a file named by its key, from which
 * reader and writer of every version follow, for brokers and for clients. Pure: it knows no socket, no clock
 * and no file.
 *
 * @module
 */
export { produceApi, type ProduceRequest, type ProduceResponse } from "./00_produce.ts";
export { fetchApi, type FetchRequest, type FetchResponse } from "./01_fetch.ts";
export { listOffsetsApi, type ListOffsetsRequest, type ListOffsetsResponse } from "./02_list_offsets.ts";
export { metadataApi, type MetadataRequest, type MetadataResponse } from "./03_metadata.ts";
export { offsetCommitApi, type OffsetCommitRequest, type OffsetCommitResponse } from "./08_offset_commit.ts";
export { offsetFetchApi, type OffsetFetchRequest, type OffsetFetchResponse } from "./09_offset_fetch.ts";
export {
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from "./10_find_coordinator.ts";
export { joinGroupApi, type JoinGroupRequest, type JoinGroupResponse } from "./11_join_group.ts";
export { heartbeatApi, type HeartbeatRequest, type HeartbeatResponse } from "./12_heartbeat.ts";
export { leaveGroupApi, type LeaveGroupRequest, type LeaveGroupResponse } from "./13_leave_group.ts";
export { syncGroupApi, type SyncGroupRequest, type SyncGroupResponse } from "./14_sync_group.ts";
export {
  describeGroupsApi,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from "./15_describe_groups.ts";
export { listGroupsApi, type ListGroupsRequest, type ListGroupsResponse } from "./16_list_groups.ts";
export {
  saslHandshakeApi,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from "./17_sasl_handshake.ts";
export { apiVersionsApi, type ApiVersionsRequest, type ApiVersionsResponse } from "./18_api_versions.ts";
export { createTopicsApi, type CreateTopicsRequest, type CreateTopicsResponse } from "./19_create_topics.ts";
export { deleteTopicsApi, type DeleteTopicsRequest, type DeleteTopicsResponse } from "./20_delete_topics.ts";
export {
  deleteRecordsApi,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from "./21_delete_records.ts";
export {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from "./22_init_producer_id.ts";
export {
  offsetForLeaderEpochApi,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from "./23_offset_for_leader_epoch.ts";
export {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
} from "./24_add_partitions_to_txn.ts";
export {
  addOffsetsToTxnApi,
  type AddOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
} from "./25_add_offsets_to_txn.ts";
export { endTxnApi, type EndTxnRequest, type EndTxnResponse } from "./26_end_txn.ts";
export {
  txnOffsetCommitApi,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from "./28_txn_offset_commit.ts";
export { describeAclsApi, type DescribeAclsRequest, type DescribeAclsResponse } from "./29_describe_acls.ts";
export { createAclsApi, type CreateAclsRequest, type CreateAclsResponse } from "./30_create_acls.ts";
export { deleteAclsApi, type DeleteAclsRequest, type DeleteAclsResponse } from "./31_delete_acls.ts";
export {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from "./32_describe_configs.ts";
export { alterConfigsApi, type AlterConfigsRequest, type AlterConfigsResponse } from "./33_alter_configs.ts";
export {
  describeLogDirsApi,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from "./35_describe_log_dirs.ts";
export {
  saslAuthenticateApi,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from "./36_sasl_authenticate.ts";
export {
  createPartitionsApi,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from "./37_create_partitions.ts";
export { deleteGroupsApi, type DeleteGroupsRequest, type DeleteGroupsResponse } from "./42_delete_groups.ts";
export {
  incrementalAlterConfigsApi,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from "./44_incremental_alter_configs.ts";
export { offsetDeleteApi, type OffsetDeleteRequest, type OffsetDeleteResponse } from "./47_offset_delete.ts";
export {
  describeClientQuotasApi,
  type DescribeClientQuotasRequest,
  type DescribeClientQuotasResponse,
} from "./48_describe_client_quotas.ts";
export {
  alterClientQuotasApi,
  type AlterClientQuotasRequest,
  type AlterClientQuotasResponse,
} from "./49_alter_client_quotas.ts";
export {
  describeUserScramCredentialsApi,
  type DescribeUserScramCredentialsRequest,
  type DescribeUserScramCredentialsResponse,
} from "./50_describe_user_scram_credentials.ts";
export {
  alterUserScramCredentialsApi,
  type AlterUserScramCredentialsRequest,
  type AlterUserScramCredentialsResponse,
} from "./51_alter_user_scram_credentials.ts";
export {
  describeClusterApi,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from "./60_describe_cluster.ts";
export {
  describeProducersApi,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
} from "./61_describe_producers.ts";
export {
  describeTransactionsApi,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
} from "./65_describe_transactions.ts";
export {
  listTransactionsApi,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from "./66_list_transactions.ts";
export {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from "./68_consumer_group_heartbeat.ts";
export {
  consumerGroupDescribeApi,
  type ConsumerGroupDescribeRequest,
  type ConsumerGroupDescribeResponse,
} from "./69_consumer_group_describe.ts";
export { apis, findApi } from "./apis.ts";
export {
  type ConsumerProtocolAssignment,
  consumerProtocolAssignment,
  type ConsumerProtocolSubscription,
  consumerProtocolSubscription,
} from "./consumer_protocol.ts";
export {
  CONTROL_RECORD_TYPE,
  type ControlRecordKey,
  controlRecordKey,
  type EndTxnMarker,
  endTxnMarker,
} from "./control_records.ts";
export {
  type Api,
  type RequestInputOf,
  type RequestOf,
  type ResponseInputOf,
  type ResponseOf,
} from "./definition/api.ts";
export { UnsupportedVersionError } from "./definition/errors.ts";
export {
  type Message,
  MESSAGE_ELEMENTS_MAX_DEFAULT,
  type MessageInput,
  type MessageValue,
  type ReadOptions,
} from "./definition/message.ts";
export { ZERO_UUID } from "./definition/uuid.ts";
export { type VersionRange } from "./definition/versions.ts";
export { ERROR_CODE, findError, type KafkaError, type KafkaErrorName, kafkaErrors } from "./errors.ts";
export {
  readRequestHeader,
  readResponseHeader,
  type RequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeRequestHeader,
  writeResponseHeader,
} from "./headers.ts";
export {
  type GroupMetadataKey,
  groupMetadataKey,
  type GroupMetadataValue,
  groupMetadataValue,
  type OffsetCommitKey,
  offsetCommitKey,
  type OffsetCommitValue,
  offsetCommitValue,
} from "./offsets_topic.ts";
export {
  type TransactionLogKey,
  transactionLogKey,
  type TransactionLogValue,
  transactionLogValue,
} from "./transactions_topic.ts";
export { readVersioned, readVersionedOrNewer, writeVersioned } from "./versioned.ts";
