import type { ServerContext } from "./server_context.ts";

/** Time that a client gets to stop sending after an error answer. */
const LINGER_MS_MAX = 2000;

/**
 * What a connection waits for, and therefore which deadline runs.
 *
 * - `idle`: for the first byte of a request (`idleTimeoutMs`, anew after each answer). - `head`: for the rest of a head
 *   (`headerTimeoutMs`, from its first byte). - `handler`: for the handler, which has no deadline. - `body`: for the rest of
 *   a body (`bodyTimeoutMs`, from the head), whether or not the handler has answered. - `linger`: for the client to stop
 *   sending after the last answer (2 s). - `closed`: for nothing.
 *
 * ```text
 * from         to        when
 * (accepted)   idle
 * idle         head      part of a head has come
 * idle, head   handler   a whole head has come; body when the request has one
 * body         handler   all of the body has come before the answer; idle when it was answered already
 * handler      idle      the answer is written; head when part of the next head is there
 * any          linger    the last answer is written, e.g. that to a message that is refused, and input still comes
 * any          closed    the last answer is with the kernel and no input is left, the connection fails, or it is too late
 * ```
 * Input that comes in one piece passes several states at once; deadlines are set when all of it has been worked through.
 * Between the last answer and its last byte leaving, a connection keeps its state and is `closing`: it reads nothing any more.
 */
export type ConnectionState = "idle" | "head" | "handler" | "body" | "linger" | "closed";

/** What takes too long: waiting in a state, or the client to take what is sent. */
export type Overdue = ConnectionState | "send";

/** The state of one connection, and when its time in it is over. */
export class StateClock {
  readonly #server: ServerContext;
  #state: ConnectionState = "idle";
  #stateUntilMs: number;
  /** `Infinity` while nothing is being sent. */
  #sendUntilMs = Infinity;

  /** Of a new connection, which is idle. */
  constructor(server: ServerContext) {
    this.#server = server;
    this.#stateUntilMs = server.nowMs() + server.limits.idleTimeoutMs;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Goes over to `state`; the time of a head or a body that is coming in goes on. */
  enter(state: ConnectionState): void {
    const before = this.#state;
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

  /** Something is being sent; the time of what is under way goes on. */
  sendBegan(): void {
    if (this.#sendUntilMs !== Infinity) return;
    this.#sendUntilMs = this.#server.nowMs() + this.#server.limits.writeTimeoutMs;
  }

  /** The client has taken what was sent. */
  sendEnded(): void {
    this.#sendUntilMs = Infinity;
  }

  /** What has had its time by now, if anything. */
  overdue(nowMs: number): Overdue | undefined {
    if (nowMs >= this.#sendUntilMs) return "send";
    return nowMs >= this.#stateUntilMs ? this.#state : undefined;
  }
}
