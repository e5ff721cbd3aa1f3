import type { Api } from "./definition/api.ts";
import { produceApi } from "./00_produce.ts";
import { fetchApi } from "./01_fetch.ts";
import { listOffsetsApi } from "./02_list_offsets.ts";
import { metadataApi } from "./03_metadata.ts";
import { offsetCommitApi } from "./08_offset_commit.ts";
import { offsetFetchApi } from "./09_offset_fetch.ts";
import { findCoordinatorApi } from "./10_find_coordinator.ts";
import { joinGroupApi } from "./11_join_group.ts";
import { heartbeatApi } from "./12_heartbeat.ts";
import { leaveGroupApi } from "./13_leave_group.ts";
import { syncGroupApi } from "./14_sync_group.ts";
import { describeGroupsApi } from "./15_describe_groups.ts";
import { listGroupsApi } from "./16_list_groups.ts";
import { saslHandshakeApi } from "./17_sasl_handshake.ts";
import { apiVersionsApi } from "./18_api_versions.ts";
import { createTopicsApi } from "./19_create_topics.ts";
import { deleteTopicsApi } from "./20_delete_topics.ts";
import { deleteRecordsApi } from "./21_delete_records.ts";
import { initProducerIdApi } from "./22_init_producer_id.ts";
import { offsetForLeaderEpochApi } from "./23_offset_for_leader_epoch.ts";
import { addPartitionsToTxnApi } from "./24_add_partitions_to_txn.ts";
import { addOffsetsToTxnApi } from "./25_add_offsets_to_txn.ts";
import { endTxnApi } from "./26_end_txn.ts";
import { txnOffsetCommitApi } from "./28_txn_offset_commit.ts";
import { describeAclsApi } from "./29_describe_acls.ts";
import { createAclsApi } from "./30_create_acls.ts";
import { deleteAclsApi } from "./31_delete_acls.ts";
import { describeConfigsApi } from "./32_describe_configs.ts";
import { alterConfigsApi } from "./33_alter_configs.ts";
import { describeLogDirsApi } from "./35_describe_log_dirs.ts";
import { saslAuthenticateApi } from "./36_sasl_authenticate.ts";
import { createPartitionsApi } from "./37_create_partitions.ts";
import { deleteGroupsApi } from "./42_delete_groups.ts";
import { incrementalAlterConfigsApi } from "./44_incremental_alter_configs.ts";
import { offsetDeleteApi } from "./47_offset_delete.ts";
import { describeClientQuotasApi } from "./48_describe_client_quotas.ts";
import { alterClientQuotasApi } from "./49_alter_client_quotas.ts";
import { describeUserScramCredentialsApi } from "./50_describe_user_scram_credentials.ts";
import { alterUserScramCredentialsApi } from "./51_alter_user_scram_credentials.ts";
import { describeClusterApi } from "./60_describe_cluster.ts";
import { describeProducersApi } from "./61_describe_producers.ts";
import { describeTransactionsApi } from "./65_describe_transactions.ts";
import { listTransactionsApi } from "./66_list_transactions.ts";
import { consumerGroupHeartbeatApi } from "./68_consumer_group_heartbeat.ts";
import { consumerGroupDescribeApi } from "./69_consumer_group_describe.ts";

/** Every API that there is a definition of, by key. */
export const apis: readonly Api[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  saslHandshakeApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  addPartitionsToTxnApi,
  addOffsetsToTxnApi,
  endTxnApi,
  txnOffsetCommitApi,
  describeAclsApi,
  createAclsApi,
  deleteAclsApi,
  describeConfigsApi,
  alterConfigsApi,
  describeLogDirsApi,
  saslAuthenticateApi,
  createPartitionsApi,
  deleteGroupsApi,
  incrementalAlterConfigsApi,
  offsetDeleteApi,
  describeClientQuotasApi,
  alterClientQuotasApi,
  describeUserScramCredentialsApi,
  alterUserScramCredentialsApi,
  describeClusterApi,
  describeProducersApi,
  describeTransactionsApi,
  listTransactionsApi,
  consumerGroupHeartbeatApi,
  consumerGroupDescribeApi,
];

const apisByKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]));

/** The API of `key`, or `undefined` where there is no definition of it. */
export function findApi(key: number): Api | undefined {
  return apisByKey.get(key);
}
