/** Where a worker finds its supervisor: `fd:` and a descriptor, or `unix:` and a path, `#` and a token. */
export const CONTROL_VARIABLE = "MILLRACE_CONTROL";
/** The name of the specification that a process was started by. */
export const NAME_VARIABLE = "MILLRACE_NAME";
/** Which of its instances it is, from 0. */
export const INSTANCE_VARIABLE = "MILLRACE_INSTANCE";
/** How many instances there are. */
export const INSTANCES_VARIABLE = "MILLRACE_INSTANCES";
/** Microseconds within which a heartbeat is expected, as in sd_watchdog_enabled(3). */
export const WATCHDOG_VARIABLE = "WATCHDOG_USEC";
