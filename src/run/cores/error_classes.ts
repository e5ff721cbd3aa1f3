import * as syncErrors from "../../base/sync/mod.ts";
import { type ErrorClasses, KnownErrorClasses } from "../../base/value/mod.ts";
import * as coreErrors from "./errors.ts";

/** What two threads know that have a module with these exports. */
export function errorClassesWith(exports: Readonly<Record<string, unknown>>): ErrorClasses {
  return new KnownErrorClasses({ ...syncErrors, ...coreErrors }, exports);
}

/** What every two threads know, whatever their modules. */
export const commonErrorClasses: ErrorClasses = errorClassesWith({});
