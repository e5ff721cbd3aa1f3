/**
 * Processes: a supervisor that starts, watches, reloads and stops them, and what its workers use.
 *
 * @module
 */
export { supervise, type SuperviseOptions } from "./supervise.ts";
export {
  EVENTS_MAX,
  type InstanceStatus,
  ReloadError,
  Supervisor,
  type SupervisorEnd,
} from "./supervisor.ts";
export {
  type HealthSpec,
  INSTANCES_MAX,
  type ListenSpec,
  type OutputSpec,
  PROCESSES_MAX,
  type ProcessSpec,
  type ReadySpec,
  type RestartSpec,
  type WatchSpec,
} from "./process_spec.ts";
export { ProcessSpecError } from "./fields.ts";
export { checkSpecs } from "./read_specs.ts";
export { describeEvent, type EventSubject, type ExitStatus, type ProcessEvent } from "./process_event.ts";
export type { InstanceState } from "./instance.ts";
export type { SlotState } from "./slot.ts";
export { type RestartDecision, RestartPolicy, type RestartRules } from "./restart_policy.ts";
export { handleSignals, STOPPED_TWICE_EXIT_CODE } from "./handle_signals.ts";
export { askSupervisor } from "./control_client.ts";
export type { ControlAnswer, ControlRequest } from "./control_server.ts";
export { type ControlPathSources, defaultControlPath, makeControlDirectory } from "./control_path.ts";
export { workerMain, type WorkerMainOptions } from "./worker_main.ts";
export { type ConsumeOptions, type Drainable, Worker } from "./worker.ts";
