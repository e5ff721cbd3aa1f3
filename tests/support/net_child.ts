import { assert, fail } from "@std/assert";

/** Real milliseconds a child may live. */
const WATCHDOG_MS = 60_000;
const ROOT = new URL("../../", import.meta.url);

/** How a child ended, and all it said. */
export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode Child}. */
export interface ChildOptions {
  /** Where it runs. @default {the project's directory} */
  readonly directory?: string;
  /** Added to its environment. */
  readonly env?: Record<string, string>;
  /** Real milliseconds after which it is killed. @default {60000} */
  readonly watchdogMs?: number;
}

/** A process of Deno's that a test started: its output line by line, its end, and its certain death. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #outcome: Promise<Outcome>;
  readonly #changed = new Set<() => void>();
  readonly #timer: ReturnType<typeof setTimeout>;
  #stdout = "";
  #stderr = "";
  #ended = false;

  /** Runs `deno` with `args` in the project's directory. */
  constructor(args: readonly string[], options: ChildOptions = {}) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: options.directory ?? ROOT.pathname,
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#timer = setTimeout(() => this.kill("SIGKILL"), options.watchdogMs ?? WATCHDOG_MS);
    this.#outcome = this.#follow();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it has said on its standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it has complained of so far. */
  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      // It has ended.
      if (!this.#ended && !(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) {
        throw error;
      }
    }
  }

  /** The first match in its standard output; rejects when it ends without one. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      if (this.#ended) fail(`ended without saying ${pattern}: ${JSON.stringify(await this.#outcome)}`);
      await new Promise<void>((resolve) => this.#changed.add(resolve));
    }
  }

  /** Resolves when it has ended. */
  ended(): Promise<Outcome> {
    return this.#outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#outcome;
  }

  async #follow(): Promise<Outcome> {
    const process = this.#process;
    const [status] = await Promise.all([
      process.status,
      this.#read(process.stdout, (text) => this.#stdout += text),
      this.#read(process.stderr, (text) => this.#stderr += text),
    ]);
    clearTimeout(this.#timer);
    this.#ended = true;
    this.#notify();
    return { code: status.code, signal: status.signal, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      this.#notify();
    }
  }

  #notify(): void {
    const waiting = [...this.#changed];
    this.#changed.clear();
    for (const resolve of waiting) resolve();
  }
}

/** Starts an example of the project with exactly the permissions of its first line. */
export async function startExample(
  name: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Child> {
  const path = new URL(`examples/${name}.ts`, ROOT).pathname;
  const [firstLine] = (await Deno.readTextFile(path)).split("\n", 1);
  const match = /^#!\/usr\/bin\/env -S deno run ?(.*)$/.exec(firstLine);
  assert(match !== null, `${name}.ts begins with "${firstLine}"`);
  const flags = match[1].split(" ").filter((flag) => flag !== "");
  return new Child(["run", "--no-lock", "--no-prompt", ...flags, path, ...args], { env });
}

/** Runs a program given as text, with every permission, and gives what came of it. */
export async function runProgram(source: string, env: Record<string, string> = {}): Promise<Outcome> {
  await using child = await startProgram(source, env);
  return await child.ended();
}

/** Starts a program given as text; it imports Millrace by its package name. */
export async function startProgram(source: string, env: Record<string, string> = {}): Promise<Child> {
  const url = `data:application/typescript,${encodeURIComponent(source)}`;
  const config = new URL("deno.json", ROOT).pathname;
  await Promise.resolve();
  return new Child(["run", "-A", "--no-lock", "--no-check", "--config", config, url], { env });
}
