import { assert } from "../../base/mod.ts";
import type { ServerContext } from "./server_context.ts";

/** Time that a client gets to stop sending after an error response. */
const LINGER_MS_MAX = 2000;

/**
 * What a connection waits for, and therefore which deadline runs.
 *
 * - `idle`: for the first byte of a request (`idleTimeoutMs`, anew after each response)
 * - `head`: for the rest of a head (`headerTimeoutMs`, from its first byte)
 * - `handler`: for the handler, which has no deadline
 * - `body`: for the rest of a body (`bodyTimeoutMs`, from the head), whether or not the response is written
 * - `linger`: for the client to stop sending after the last response (2 s)
 * - `closed`: for nothing
 *
 * ```text
 * from         to        when
 * (accepted)   idle
 * idle         head      part of a head has come
 * idle, head   handler   a whole head has come; body when the request has one
 * body         handler   all of the body has come before the response; idle when the response was written already
 * handler      idle      the response is written; head when part of the next head has come
 * any          linger    the last response is written, e.g. that to a rejected message, and input still comes
 * any          closed    the last response is with the kernel and no input is left, the connection fails, or a deadline passes
 * ```
 * Input that comes in one piece passes several states at once; deadlines are set after all of it has been processed.
 * Until the last byte of the last response has left, a connection keeps its state and is `closing`: it reads nothing any more.
 */
export type ConnectionState = "idle" | "head" | "handler" | "body" | "linger" | "closed";

/** What takes too long: waiting in a state, or sending to the client. */
export type Overdue = ConnectionState | "send";

/** The state of one connection, and its deadline. */
export class StateClock {
  readonly #server: ServerContext;
  #state: ConnectionState = "idle";
  #stateUntilMs: number;
  /** `Infinity` while nothing is being sent. */
  #sendUntilMs = Infinity;

  /** The clock of a new connection, which is idle. */
  constructor(server: ServerContext) {
    this.#server = server;
    this.#stateUntilMs = server.nowMs() + server.limits.idleTimeoutMs;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Changes to `state`. The deadline of a head or a body that is coming in stays as it is. */
  enter(state: ConnectionState): void {
    const before = this.#state;
    assert(before !== "closed", "StateClock.enter: the connection is closed");
    this.#state = state;
    const { limits } = this.#server;
    switch (state) {
      case "idle":
        this.#stateUntilMs = this.#server.nowMs() + limits.idleTimeoutMs;
        return;
      case "head":
        if (before !== "head") this.#stateUntilMs = this.#server.nowMs() + limits.headerTimeoutMs;
        return;
      case "body":
        if (before !== "body") this.#stateUntilMs = this.#server.nowMs() + limits.bodyTimeoutMs;
        return;
      case "linger":
        this.#stateUntilMs = this.#server.nowMs() + LINGER_MS_MAX;
        return;
      case "handler":
      case "closed":
        return;
    }
  }

  /** A send is under way; a deadline that runs already stays as it is. */
  sendBegan(): void {
    if (this.#sendUntilMs !== Infinity) return;
    this.#sendUntilMs = this.#server.nowMs() + this.#server.limits.writeTimeoutMs;
  }

  /** The client has received what was sent. */
  sendEnded(): void {
    this.#sendUntilMs = Infinity;
  }

  /** What is overdue by now, if anything. */
  overdue(nowMs: number): Overdue | undefined {
    if (nowMs >= this.#sendUntilMs) return "send";
    return nowMs >= this.#stateUntilMs ? this.#state : undefined;
  }
}
