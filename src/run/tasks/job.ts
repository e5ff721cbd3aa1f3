import type { CallListener, ProcessChannel } from "./process_channel.ts";
import type { RunOptions } from "./task_types.ts";

/** One worker process. */
export interface PoolWorker {
  readonly channel: ProcessChannel;
  readonly running: Set<Job>;
  /** It takes no task any more. */
  isFinishing: boolean;
  /** What ends it, by the job that it goes on with although nobody waits for it. */
  readonly killing: Map<Job, () => void>;
}

/** What becomes of the attempts of a {@linkcode Job}: the pool's part of it. */
export interface JobOwner {
  onAnswer(job: Job, value: unknown): void;
  onFailure(job: Job, reason: unknown): void;
}

/** One task, from `run()` to its end. */
export class Job implements CallListener {
  readonly name: string;
  /** As `portable()` gives them. */
  args: readonly unknown[];
  readonly options: RunOptions;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  attempt = 0;
  deaths = 0;
  /** Settled: whatever comes of it is of no interest. */
  isOver = false;
  /** Who runs it. */
  worker: PoolWorker | undefined;
  /** Its call of that one. */
  call = 0;
  /** Ends what waits beside it. */
  release: (() => void) | undefined;
  readonly #owner: JobOwner;

  constructor(
    owner: JobOwner,
    name: string,
    args: readonly unknown[],
    options: RunOptions,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#owner = owner;
    this.name = name;
    this.args = args;
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
  }

  onAnswer(value: unknown): void {
    this.#owner.onAnswer(this, value);
  }

  onFailure(reason: unknown): void {
    this.#owner.onFailure(this, reason);
  }
}
