/** What to run, how many of it, and how it is watched. Also the format of the configuration file, but for `URL` and `RegExp`. */
export interface ProcessSpec {
  /** Names it in events, output and commands: letters, digits, `.`, `_` and `-`, up to 64. */
  name: string;
  /** The program: a path, or a name that is looked for in `PATH`. */
  command: string | URL;
  /**
   * Its arguments. In them, in the values of `env` and in URLs of probes, `{instance}` stands for the number of the instance,
   * from 0, and `{name}` for the name.
   *
   * @default {[]}
   */
  args?: readonly string[];
  /**
   * Variables of the environment beside those of the supervisor.
   *
   * @default {{}}
   */
  env?: Readonly<Record<string, string>>;
  /**
   * Gives it none of the supervisor's variables.
   *
   * @default {false}
   */
  clearEnv?: boolean;
  /**
   * Where it runs.
   *
   * @default {the supervisor's directory}
   */
  cwd?: string | URL;
  /**
   * Processes of it, 1 to {@linkcode INSTANCES_MAX}.
   *
   * @default {one per processor}
   */
  instances?: number;
  /**
   * Sockets that the supervisor listens on and hands to every instance; see `inherit` of `listen()` and `serve()`.
   *
   * @default {[]}
   */
  listen?: readonly ListenSpec[];
  /**
   * How an instance shows that it works.
   *
   * @default {{ kind: "started" }}
   */
  ready?: ReadySpec;
  /**
   * How an instance shows that it goes on working.
   *
   * @default {not at all}
   */
  health?: HealthSpec;
  /** What happens when an instance ends. */
  restart?: RestartSpec;
  /**
   * Asks an instance to end.
   *
   * @default {"SIGTERM"}
   */
  stopSignal?: Deno.Signal;
  /**
   * Time in milliseconds from `stopSignal` to SIGKILL.
   *
   * @default {10000}
   */
  stopTimeoutMs?: number;
  /**
   * Asks an instance that was replaced to finish what it has begun, and to end.
   *
   * @default {"SIGUSR2" for programs with workerMain(), else stopSignal: who does not know SIGUSR2 would be ended by it}
   */
  drainSignal?: Deno.Signal;
  /**
   * Time in milliseconds from `drainSignal` to `stopSignal`.
   *
   * @default {30000}
   */
  drainTimeoutMs?: number;
  /**
   * Instances that a reload replaces at a time.
   *
   * @default {1}
   */
  reloadParallel?: number;
  /** Reloads when files change. */
  watch?: WatchSpec;
  /**
   * Where what it writes goes.
   *
   * @default {{ kind: "prefixed" }}
   */
  output?: OutputSpec;
}

/** A socket that a supervisor listens on: TCP, or Unix with `path`. */
export interface ListenSpec {
  /**
   * What `inherit` of `listen()` and `serve()` calls it, and `LISTEN_FDNAMES`: letters, digits, `.`, `_` and `-`.
   *
   * @default {its place in the list: "0", "1" ...}
   */
  name?: string;
  /**
   * Address or name to listen on.
   *
   * @default {"0.0.0.0"}
   */
  hostname?: string;
  /** Port, 0 takes a free one. One of `port` and `path` is needed. */
  port?: number;
  /** Path of a Unix socket; one that is left over is replaced, and it is removed at the end. */
  path?: string;
  /**
   * Connections that may wait to be accepted; the system may allow fewer.
   *
   * @default {4096}
   */
  backlog?: number;
}

/**
 * When an instance counts as ready.
 *
 * - `"started"`: it still runs after `afterMs`. - `"line"`: it has written a line that `pattern` matches. - `"message"`: it has said so,
 *   by `workerMain()`, or by `READY=1` to its `NOTIFY_SOCKET` (sd_notify(3)). - `"http"`: `url` answers with a status below 400.
 */
export type ReadySpec =
  | {
    /** It still runs. */
    kind: "started";
    /**
     * For so long, in milliseconds.
     *
     * @default {1000}
     */
    afterMs?: number;
  }
  | {
    /** It has written a line. */
    kind: "line";
    /** A regular expression that is found in the line, without its end. */
    pattern: string | RegExp;
    /**
     * Milliseconds that it may take.
     *
     * @default {30000}
     */
    timeoutMs?: number;
  }
  | {
    /** It has said so. */
    kind: "message";
    /**
     * Milliseconds that it may take.
     *
     * @default {30000}
     */
    timeoutMs?: number;
  }
  | {
    /** It answers HTTP. Of instances that share a socket any may answer: give each an address of its own. */
    kind: "http";
    /** What is asked for. */
    url: string | URL;
    /**
     * Milliseconds between two attempts.
     *
     * @default {100}
     */
    intervalMs?: number;
    /**
     * Milliseconds that it may take.
     *
     * @default {30000}
     */
    timeoutMs?: number;
  };

/**
 * How an instance that hangs is found: it misses `failuresMax` looks in a row, one each `intervalMs`. It is then stopped, and
 * started again like one that has ended by itself.
 */
export type HealthSpec =
  | {
    /** It sends heartbeats: `workerMain()` does, others by `WATCHDOG=1` to their `NOTIFY_SOCKET` within `WATCHDOG_USEC`. */
    kind: "heartbeat";
    /**
     * Milliseconds between two looks.
     *
     * @default {5000}
     */
    intervalMs?: number;
    /**
     * Looks that it may miss in a row; with the last it is replaced.
     *
     * @default {3}
     */
    failuresMax?: number;
  }
  | {
    /** `url` answers with a status below 400. */
    kind: "http";
    /** What is asked for. */
    url: string | URL;
    /**
     * Milliseconds between two looks.
     *
     * @default {5000}
     */
    intervalMs?: number;
    /**
     * Milliseconds that an answer may take.
     *
     * @default {2000}
     */
    timeoutMs?: number;
    /**
     * Looks that it may miss in a row; with the last it is replaced.
     *
     * @default {3}
     */
    failuresMax?: number;
  };

/** When an instance that has ended is started again: with exponential back-off, and not for ever. */
export interface RestartSpec {
  /**
   * `"on-failure"`: unless it ended with code 0; `"never"`: one that has ended stays so.
   *
   * @default {"always"}
   */
  policy?: "always" | "on-failure" | "never";
  /**
   * Milliseconds before the second restart in a row; the first is at once.
   *
   * @default {100}
   */
  delayMs?: number;
  /**
   * The longest delay in milliseconds.
   *
   * @default {30000}
   */
  delayMsMax?: number;
  /**
   * What the delay is multiplied with from one restart to the next.
   *
   * @default {2}
   */
  factor?: number;
  /**
   * The share of the delay that chance adds or takes, 0 to 1, so that not all come at the same time.
   *
   * @default {0.2}
   */
  jitter?: number;
  /**
   * Restarts within `windowMs`; after one more end the instance is given up.
   *
   * @default {10}
   */
  restartsMax?: number;
  /**
   * Milliseconds within which restarts are counted.
   *
   * @default {60000}
   */
  windowMs?: number;
  /**
   * Milliseconds after which an instance that is ready is stable: delays begin anew.
   *
   * @default {10000}
   */
  stableMs?: number;
}

/** Files whose change reloads. */
export interface WatchSpec {
  /** Files, and directories with all that is in them. */
  paths: readonly string[];
  /**
   * Milliseconds of quiet before a reload begins.
   *
   * @default {300}
   */
  debounceMs?: number;
}

/** Where what an instance writes goes. */
export type OutputSpec =
  | {
    /** To the supervisor's standard output and error, each line with `name/instance: ` before it. */
    kind: "prefixed";
  }
  | {
    /** To the supervisor's, as it is. */
    kind: "inherit";
  }
  | {
    /** Nowhere. */
    kind: "null";
  }
  | {
    /** To a file per instance, `<name>-<instance>.log`. */
    kind: "files";
    /** Where the files are; made if it is not there. */
    directory: string;
    /**
     * Bytes of a file; with the next line it is renamed to `….log.1`, and what was that to `….log.2`.
     *
     * @default {10485760} 10 MiB
     */
    bytesMax?: number;
    /**
     * Files of an instance, the newest included.
     *
     * @default {5}
     */
    filesMax?: number;
  };

/** Instances of one process at most. */
export const INSTANCES_MAX = 1024;
/** Processes of one supervisor at most. */
export const PROCESSES_MAX = 256;
