import { signalNumber } from "../../../ffi/mod.ts";
import type { Address } from "../../io/reactor/mod.ts";
import { Fields, ProcessSpecError } from "./fields.ts";
import { INSTANCES_MAX, PROCESSES_MAX, type ProcessSpec } from "./process_spec.ts";
import type { RestartRules } from "./restart_policy.ts";

/** A specification with all that it leaves out, checked. */
export interface ResolvedProcess {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clearEnv: boolean;
  readonly cwd: string | undefined;
  readonly instances: number;
  readonly listen: readonly ResolvedListen[];
  readonly ready: ResolvedReady;
  readonly health: ResolvedHealth | undefined;
  readonly restart: RestartRules;
  readonly stopSignal: Deno.Signal;
  readonly stopTimeoutMs: number;
  readonly drainSignal: Deno.Signal | undefined;
  readonly drainTimeoutMs: number;
  readonly reloadParallel: number;
  readonly watch: { readonly paths: readonly string[]; readonly debounceMs: number } | undefined;
  readonly output: ResolvedOutput;
}

/** A socket to listen on. */
export interface ResolvedListen {
  readonly name: string;
  readonly address: Address;
  readonly backlog: number;
}

/** When an instance counts as ready. */
export type ResolvedReady =
  | { readonly kind: "started"; readonly afterMs: number }
  | { readonly kind: "line"; readonly pattern: RegExp; readonly timeoutMs: number }
  | { readonly kind: "message"; readonly timeoutMs: number }
  | { readonly kind: "http"; readonly url: string; readonly intervalMs: number; readonly timeoutMs: number };

/** How it is found that an instance hangs. */
export type ResolvedHealth =
  | { readonly kind: "heartbeat"; readonly intervalMs: number; readonly failuresMax: number }
  | {
    readonly kind: "http";
    readonly url: string;
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly failuresMax: number;
  };

/** Where what an instance writes goes. */
export type ResolvedOutput =
  | { readonly kind: "prefixed" | "inherit" | "null" }
  | {
    readonly kind: "files";
    readonly directory: string;
    readonly bytesMax: number;
    readonly filesMax: number;
  };

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const NAME_EXPECTED = "1 to 64 letters, digits, dots, underscores and hyphens";
const VARIABLE = /^[^=\0]+$/;
/** The longest time that a specification can say: a year. */
const MS_MAX = 365 * 86_400_000;
const READY_TIMEOUT_MS = 30_000;
const LISTEN_MAX = 64;
const UNIX_PATH_BYTES_MAX = 107;

/**
 * Checks specifications, and fills in what they leave out. `key` is what the list is called, for errors.
 *
 * @throws {ProcessSpecError} for the first mistake
 */
export function readSpecs(specs: unknown, key = "process"): ResolvedProcess[] {
  const expected = `a list of 1 to ${PROCESSES_MAX} processes`;
  if (!Array.isArray(specs) || specs.length === 0 || specs.length > PROCESSES_MAX) {
    throw new ProcessSpecError(key, Array.isArray(specs) ? `${specs.length} of them` : specs, expected);
  }
  const resolved = specs.map((spec, index) =>
    readSpec(new Fields(`${key}[${index}]`, spec, "an object with name and command"))
  );
  resolved.forEach(({ name }, index) => {
    if (resolved.findIndex((other) => other.name === name) < index) {
      throw new ProcessSpecError(`${key}[${index}].name`, name, "a name that no other process has");
    }
  });
  return resolved;
}

/**
 * Specifications from a file, or from wherever else nobody has checked them; handed through.
 *
 * ```ts
 * import { checkSpecs, ProcessSpecError } from "@millrace/millrace/process";
 *
 * try {
 *   checkSpecs([{ name: "web", command: "deno", instances: "many" }]);
 * } catch (error) {
 *   // process[0].instances is "many", expected a whole number from 1 to 1024
 *   if (error instanceof ProcessSpecError) console.log(error.message);
 * }
 * ```
 *
 * @throws {ProcessSpecError} for the first mistake
 */
export function checkSpecs(specs: unknown): readonly ProcessSpec[] {
  readSpecs(specs);
  return specs as readonly ProcessSpec[];
}

function readSpec(fields: Fields): ResolvedProcess {
  const name = fields.matching("name", NAME, NAME_EXPECTED);
  const command = fields.path("command");
  const output = readOutput(fields);
  const spec = {
    args: fields.list("args", "a list of texts", textAt) ?? [],
    env: readVariables(fields),
    clearEnv: fields.flag("clearEnv") ?? false,
    cwd: fields.path("cwd"),
    instances: fields.whole("instances", 1, INSTANCES_MAX) ?? navigator.hardwareConcurrency,
    listen: readListen(fields),
    ready: readReady(fields, output),
    health: readHealth(fields),
    restart: readRestart(fields),
    stopSignal: readSignal(fields, "stopSignal") ?? "SIGTERM",
    stopTimeoutMs: fields.number("stopTimeoutMs", 0, MS_MAX) ?? 10_000,
    drainSignal: readSignal(fields, "drainSignal"),
    drainTimeoutMs: fields.number("drainTimeoutMs", 0, MS_MAX) ?? 30_000,
    reloadParallel: fields.whole("reloadParallel", 1, INSTANCES_MAX) ?? 1,
    watch: readWatch(fields),
    output,
  };
  // First: what is missing may be there, misspelt.
  fields.refuseUnknown();
  return {
    ...spec,
    name: name ?? fields.fail("name", NAME_EXPECTED),
    command: command ?? fields.fail("command", "a path, or a name that is looked for in PATH"),
  };
}

function textAt(value: unknown, key: string): string {
  if (typeof value !== "string" || value.includes("\0")) {
    throw new ProcessSpecError(key, value, "a text without zero bytes");
  }
  return value;
}

function readVariables(fields: Fields): Record<string, string> {
  const value = fields.take("env");
  if (value === undefined) return {};
  const key = fields.keyOf("env");
  const variables = Object.entries(
    new Fields(key, value, "an object of texts") && (value as Record<string, unknown>),
  );
  return Object.fromEntries(variables.map(([name, text]) => {
    if (!VARIABLE.test(name)) throw new ProcessSpecError(`${key}.${name}`, text, "a name without =");
    return [name, textAt(text, `${key}.${name}`)];
  }));
}

function readSignal(fields: Fields, name: string): Deno.Signal | undefined {
  return fields.optional(name, (value) => {
    if (typeof value !== "string" || value === "SIGKILL" || value === "SIGSTOP") return undefined;
    try {
      signalNumber(value as Deno.Signal);
      return value as Deno.Signal;
    } catch {
      return undefined;
    }
  }, 'a signal such as "SIGTERM", but for SIGKILL and SIGSTOP');
}

function readListen(fields: Fields): ResolvedListen[] {
  const listen = fields.list("listen", "a list of sockets to listen on", (value, key) => {
    const socket = new Fields(key, value);
    const index = key.slice(key.lastIndexOf("[") + 1, -1);
    const name = socket.matching("name", NAME, NAME_EXPECTED) ?? index;
    const backlog = socket.whole("backlog", 1, 1 << 20) ?? 4096;
    const path = socket.text("path", "a path");
    const port = socket.whole("port", 0, 65_535);
    const hostname = socket.text("hostname", "an address or a host name");
    socket.refuseUnknown();
    if (path !== undefined) {
      if (port !== undefined || hostname !== undefined) socket.fail("path", "either a path or a port");
      if (new TextEncoder().encode(path).byteLength > UNIX_PATH_BYTES_MAX) {
        socket.fail("path", `at most ${UNIX_PATH_BYTES_MAX} bytes`);
      }
      return { name, address: { path }, backlog };
    }
    if (port === undefined) return socket.fail("port", "a port from 0 to 65535, or a path in its place");
    return { name, address: { hostname: hostname ?? "0.0.0.0", port }, backlog };
  }) ?? [];
  if (listen.length > LISTEN_MAX) fields.fail("listen", `at most ${LISTEN_MAX} sockets`);
  listen.forEach(({ name }, index) => {
    if (listen.findIndex((other) => other.name === name) < index) {
      throw new ProcessSpecError(
        `${fields.keyOf("listen")}[${index}].name`,
        name,
        "a name that no other socket has",
      );
    }
  });
  return listen;
}

function readReady(fields: Fields, output: ResolvedOutput): ResolvedReady {
  const value = fields.take("ready");
  if (value === undefined) return { kind: "started", afterMs: 1000 };
  const ready = new Fields(fields.keyOf("ready"), value);
  const kinds = ["started", "line", "message", "http"] as const;
  const kind = ready.choice("kind", ...kinds) ??
    ready.fail("kind", kinds.map((word) => `"${word}"`).join(", "));
  const resolved = readReadyOf(kind, ready, output);
  ready.refuseUnknown();
  return resolved;
}

function readReadyOf(kind: ResolvedReady["kind"], ready: Fields, output: ResolvedOutput): ResolvedReady {
  if (kind === "started") return { kind, afterMs: ready.number("afterMs", 0, MS_MAX) ?? 1000 };
  const timeoutMs = ready.number("timeoutMs", 1, MS_MAX) ?? READY_TIMEOUT_MS;
  switch (kind) {
    case "message":
      return { kind, timeoutMs };
    case "line": {
      if (output.kind === "inherit") {
        ready.fail("kind", 'another kind: with output "inherit" no lines are read');
      }
      const pattern = ready.optional("pattern", readPattern, "a regular expression");
      return { kind, pattern: pattern ?? ready.fail("pattern", "a regular expression"), timeoutMs };
    }
    case "http":
      return {
        kind,
        url: readUrl(ready),
        intervalMs: ready.number("intervalMs", 1, MS_MAX) ?? 100,
        timeoutMs,
      };
  }
}

function readPattern(value: unknown): RegExp | undefined {
  // Without the flags that would give it a memory.
  if (value instanceof RegExp) return new RegExp(value.source, value.flags.replace(/[gy]/g, ""));
  try {
    return typeof value === "string" ? new RegExp(value) : undefined;
  } catch {
    return undefined;
  }
}

function readUrl(fields: Fields): string {
  const expected = "a URL that begins with http:// or https://";
  const url = fields.optional("url", (value) => {
    const text = String(value);
    return /^https?:\/\//.test(text) && URL.canParse(text.replaceAll(/\{(instance|name)\}/g, "0"))
      ? text
      : undefined;
  }, expected);
  return url ?? fields.fail("url", expected);
}

function readHealth(fields: Fields): ResolvedHealth | undefined {
  const value = fields.take("health");
  if (value === undefined) return undefined;
  const health = new Fields(fields.keyOf("health"), value);
  const kind = health.choice("kind", "heartbeat", "http") ?? health.fail("kind", '"heartbeat" or "http"');
  const intervalMs = health.number("intervalMs", 10, MS_MAX) ?? 5000;
  const failuresMax = health.whole("failuresMax", 1, 1000) ?? 3;
  const resolved: ResolvedHealth = kind === "heartbeat" ? { kind, intervalMs, failuresMax } : {
    kind,
    url: readUrl(health),
    intervalMs,
    timeoutMs: health.number("timeoutMs", 1, MS_MAX) ?? 2000,
    failuresMax,
  };
  health.refuseUnknown();
  return resolved;
}

function readRestart(fields: Fields): RestartRules {
  const restart = new Fields(fields.keyOf("restart"), fields.take("restart") ?? {});
  const delayMs = restart.number("delayMs", 0, MS_MAX) ?? 100;
  const rules: RestartRules = {
    policy: restart.choice("policy", "always", "on-failure", "never") ?? "always",
    delayMs,
    delayMsMax: restart.number("delayMsMax", 0, MS_MAX) ?? Math.max(30_000, delayMs),
    factor: restart.number("factor", 1, 1000) ?? 2,
    jitter: restart.number("jitter", 0, 1) ?? 0.2,
    restartsMax: restart.whole("restartsMax", 0, 10_000) ?? 10,
    windowMs: restart.number("windowMs", 1, MS_MAX) ?? 60_000,
    stableMs: restart.number("stableMs", 0, MS_MAX) ?? 10_000,
  };
  if (rules.delayMsMax < delayMs) restart.fail("delayMsMax", `at least delayMs, ${delayMs}`);
  restart.refuseUnknown();
  return rules;
}

function readWatch(fields: Fields): ResolvedProcess["watch"] {
  const value = fields.take("watch");
  if (value === undefined) return undefined;
  const watch = new Fields(fields.keyOf("watch"), value);
  const paths = watch.list("paths", "a list of paths", textAt) ?? watch.fail("paths", "a list of paths");
  if (paths.length === 0) watch.fail("paths", "at least one path");
  const resolved = { paths, debounceMs: watch.number("debounceMs", 0, MS_MAX) ?? 300 };
  watch.refuseUnknown();
  return resolved;
}

function readOutput(fields: Fields): ResolvedOutput {
  const value = fields.take("output");
  if (value === undefined) return { kind: "prefixed" };
  const output = new Fields(fields.keyOf("output"), value);
  const kind = output.choice("kind", "prefixed", "inherit", "null", "files") ??
    output.fail("kind", '"prefixed", "inherit", "null" or "files"');
  const resolved: ResolvedOutput = kind !== "files" ? { kind } : {
    kind,
    directory: output.text("directory", "a path") ?? output.fail("directory", "a path"),
    bytesMax: output.whole("bytesMax", 1, Number.MAX_SAFE_INTEGER) ?? 10 * 1024 * 1024,
    filesMax: output.whole("filesMax", 1, 1000) ?? 5,
  };
  output.refuseUnknown();
  return resolved;
}
