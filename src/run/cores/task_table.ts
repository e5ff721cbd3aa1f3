import type { ErrorClasses } from "../../base/value/mod.ts";
import { commonErrorClasses } from "./error_classes.ts";

// deno-lint-ignore no-explicit-any -- a task may take anything
export type AnyTask = (...args: any[]) => unknown;

/** What a participant can be asked to do, by number. */
export interface TaskTable {
  /** The tasks. */
  readonly tasks: readonly AnyTask[];
  /** Their names. */
  readonly names: readonly string[];
  /** Classes of errors that all participants know. */
  readonly errorClasses: ErrorClasses;
}

/** That of a participant that serves nothing. */
export const NO_TASKS: TaskTable = { tasks: [], names: [], errorClasses: commonErrorClasses };
