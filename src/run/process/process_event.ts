/** How a process has ended. */
export interface ExitStatus {
  /** The code, or 128 and the signal's number. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: Deno.Signal | null;
}

/** Which process an event is about. */
export interface EventSubject {
  /** The name of its specification. */
  readonly name: string;
  /** The instance, from 0. */
  readonly instance: number;
  /** Its number in the system. */
  readonly pid: number;
}

/** What happened under a supervisor. */
export type ProcessEvent =
  /** A process runs. */
  | { readonly type: "started" } & EventSubject
  /** It is ready. */
  | { readonly type: "ready" } & EventSubject
  /** It was replaced, and asked to finish. */
  | { readonly type: "draining" } & EventSubject
  /** It hangs, and is stopped. */
  | { readonly type: "unhealthy"; readonly reason: string } & EventSubject
  /** It did not end in time, and was killed. */
  | { readonly type: "killed"; readonly reason: string } & EventSubject
  /** It has ended; `expected`: because the supervisor wanted it to. */
  | {
    readonly type: "exited";
    readonly status: ExitStatus;
    readonly expected: boolean;
    /** How long it ran, in milliseconds. */
    readonly ranMs: number;
  } & EventSubject
  /** One that has ended is started again after `delayMs`. */
  | {
    readonly type: "restarting";
    readonly name: string;
    readonly instance: number;
    readonly delayMs: number;
  }
  /** One could not be started, or did not become ready. */
  | { readonly type: "failed"; readonly name: string; readonly instance: number; readonly reason: string }
  /** One has ended too often, and is not started again. */
  | { readonly type: "gave-up"; readonly name: string; readonly instance: number; readonly reason: string }
  /** All instances of a process are being replaced. */
  | { readonly type: "reloading"; readonly name: string }
  /** All were. */
  | { readonly type: "reloaded"; readonly name: string }
  /** Not all were; those that were not still run. */
  | { readonly type: "reload-failed"; readonly name: string; readonly reason: string }
  /** The reader was too slow, and misses `count` events that were here. */
  | { readonly type: "missed"; readonly count: number };

/** An event in one line for people. */
export function describeEvent(event: ProcessEvent): string {
  switch (event.type) {
    case "started":
      return `${subject(event)} started`;
    case "ready":
      return `${subject(event)} is ready`;
    case "draining":
      return `${subject(event)} is asked to finish`;
    case "unhealthy":
      return `${subject(event)} hangs and is stopped: ${event.reason}`;
    case "killed":
      return `${subject(event)} is killed: ${event.reason}`;
    case "exited":
      return `${subject(event)} ended ${describeExit(event.status)} after ${seconds(event.ranMs)}`;
    case "restarting":
      return `${event.name}/${event.instance} starts again${
        event.delayMs > 0 ? ` in ${seconds(event.delayMs)}` : ""
      }`;
    case "failed":
      return `${event.name}/${event.instance} failed: ${event.reason}`;
    case "gave-up":
      return `${event.name}/${event.instance} IS GIVEN UP: ${event.reason}`;
    case "reloading":
      return `${event.name} is reloaded`;
    case "reloaded":
      return `${event.name} was reloaded`;
    case "reload-failed":
      return `RELOAD OF ${event.name} FAILED, what was not replaced still runs: ${event.reason}`;
    case "missed":
      return `${event.count} events were missed`;
  }
}

/** How a process ended, in words. */
export function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `with code ${code}` : `by ${signal}`;
}

function subject({ name, instance, pid }: EventSubject): string {
  return `${name}/${instance} (process ${pid})`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
