import { descendants, endIfAlive, identify } from "./process_tree.ts";
import { type Command, rootDirectory } from "./command.ts";

const outputBytesKept = 64 * 1024;
const stopTimeoutMs = 2000;

/** Every process started here that has not ended yet. */
const running = new Set<ChildProcess>();
let refusing = false;

/** A process of the benchmarks: what it prints is read all the while, and it can be ended by its identifier. */
export class ChildProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #standardOutput: Promise<void>;
  readonly #standardError: Promise<void>;
  #output = "";
  #outputEnded = false;
  #errorOutput = "";
  #onOutput: () => void = () => {};
  #hasEnded = false;
  /** Resolves with the exit status once the process has ended and all it printed has been read. */
  readonly ended: Promise<Deno.CommandStatus>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#standardOutput = readAll(child.stdout, (text) => {
      this.#output = (this.#output + text).slice(-outputBytesKept);
      this.#onOutput();
    }).finally(() => {
      this.#outputEnded = true;
      this.#onOutput();
    });
    this.#standardError = readAll(child.stderr, (text) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-outputBytesKept);
    });
    this.ended = this.#end();
  }

  /**
   * Starts a command, from the root of the checkout.
   *
   * @throws {Deno.errors.NotFound} when the program is not there
   */
  static start(command: Command): ChildProcess {
    if (refusing) throw new Deno.errors.Interrupted(`start ${command.executable}: the benchmarks are ending`);
    const child = new Deno.Command(command.executable, {
      args: [...command.args],
      cwd: rootDirectory,
      env: { NO_COLOR: "1", ...command.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const process = new ChildProcess(child);
    running.add(process);
    return process;
  }

  /** Ends every process started here and lets none start any more. */
  static async stopAll(): Promise<void> {
    refusing = true;
    await Promise.all([...running].map((process) => process.stop()));
  }

  /** Identifier of the process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether the process has ended. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What the process has printed on standard output and not been taken by {@linkcode nextMatch}. */
  get output(): string {
    return this.#output;
  }

  /** Waits for the process to end, and says in one line how it did and what it had to say about it. */
  async describeEnd(): Promise<string> {
    const { signal, code } = await this.ended;
    return `ended with ${signal ?? `code ${code}`}: ${this.#lastWords()}`;
  }

  /**
   * Waits for standard output to match, and takes everything up to the end of the match.
   *
   * @throws {Deno.errors.TimedOut} when nothing matches in time
   * @throws {Error} when the process ends first
   */
  async nextMatch(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) {
        this.#output = this.#output.slice(match.index + match[0].length);
        return match;
      }
      if (this.#outputEnded) {
        throw new Error(await this.describeEnd());
      }
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Deno.errors.TimedOut(`silent for ${timeoutMs} ms: ${this.#lastWords()}`);
      await this.#outputOrTimeout(leftMs);
    }
  }

  /** Writes one line to the standard input of the process. */
  async writeLine(line: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${line}\n`));
    writer.releaseLock();
  }

  /**
   * Asks the process to end, makes it end if it has not within two seconds, and waits for that. Children that it leaves
   * behind are ended too: they would hold its output open, and a core.
   */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    const family = descendants(this.pid).map(identify).filter((process) => process !== undefined);
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), stopTimeoutMs);
    await this.#child.status;
    clearTimeout(timer);
    family.forEach(endIfAlive);
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The first line on standard error that calls itself an error, else the last line printed. */
  #lastWords(): string {
    const lines = (text: string) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    const complaints = lines(this.#errorOutput);
    const error = complaints.find((line) => /^(\S+: )?\[?(error|fatal|panic|emerg)/i.test(line));
    return error ?? complaints.at(-1) ?? lines(this.#output).at(-1) ?? "it printed nothing";
  }

  async #end(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    this.#hasEnded = true;
    running.delete(this);
    await Promise.all([this.#standardOutput, this.#standardError]);
    await this.#child.stdin.close().catch(() => {
      // The pipe broke when the process ended: there is nothing left to close.
    });
    return status;
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It ended between the look and the signal.
    }
  }

  #outputOrTimeout(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onOutput = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function readAll(stream: ReadableStream<Uint8Array>, onText: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) onText(decoder.decode(bytes, { stream: true }));
}
