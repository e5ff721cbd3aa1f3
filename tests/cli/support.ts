import { assertEquals, assertMatch, fail } from "@std/assert";
import { examplePermissions } from "../../scripts/support/examples.ts";
import { nativeStatus } from "../../ffi/mod.ts";
import { QueueNames } from "../ipc/queue/support.ts";
import { withWatchdog } from "../support/watchdog.ts";

/** Real milliseconds a process may live. */
const WATCHDOG_MS = 60_000;
const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const EMPTY_DIRECTORY = new URL("../fixtures/", import.meta.url).pathname;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The command as words, with exactly the permissions of its first line. */
export const MILLRACE: readonly string[] = [
  Deno.execPath(),
  "run",
  "--no-lock",
  "--no-prompt",
  ...examplePermissions(Deno.readTextFileSync(MAIN)),
  MAIN,
];

/** How a process ended, and all it wrote. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly bytes: Uint8Array;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode start}. */
export interface StartOptions {
  /** Standard input; `"open"`: what the test writes. @default {none} */
  readonly input?: string | Uint8Array | "open";
  readonly env?: Record<string, string>;
  /** Where it runs. @default {a directory without a file of configuration} */
  readonly directory?: string;
  /** Nobody reads its standard output before it has ended. @default {false} */
  readonly unread?: boolean;
}

/** A process of the command, and its certain end. */
export class Process implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #ended: Promise<Ended>;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #changed = new Set<() => void>();
  #chunks: Uint8Array[] = [];
  #over = false;

  constructor(
    words: readonly string[],
    { input, env = {}, directory = EMPTY_DIRECTORY, unread = false }: StartOptions,
  ) {
    this.#process = new Deno.Command(words[0], {
      args: words.slice(1),
      cwd: directory,
      env: { NO_COLOR: "1", ...env },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#timer = setTimeout(() => this.kill("SIGKILL"), WATCHDOG_MS);
    if (input !== undefined) this.#writer = this.#process.stdin.getWriter();
    this.#ended = this.#follow(unread);
    if (input !== undefined && input !== "open") {
      this.write(input).then(() => this.end()).catch(() => {});
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it has written so far. */
  get stdout(): string {
    return decoder.decode(joined(this.#chunks));
  }

  async write(input: string | Uint8Array): Promise<void> {
    await this.#writer?.write(typeof input === "string" ? encoder.encode(input) : input);
  }

  async end(): Promise<void> {
    await this.#writer?.close();
  }

  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!this.#over && !(error instanceof TypeError)) throw error;
    }
  }

  /** Resolves when its output has such a match. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout)) {
      if (this.#over) fail(`ended without saying ${pattern}: ${JSON.stringify(await this.#ended)}`);
      await new Promise<void>((resolve) => this.#changed.add(resolve));
    }
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#ended;
    await this.#writer?.close().catch(() => {});
  }

  async #follow(unread: boolean): Promise<Ended> {
    const errors: Uint8Array[] = [];
    const read = async (stream: ReadableStream<Uint8Array>, chunks: Uint8Array[]): Promise<void> => {
      for await (const chunk of stream) {
        chunks.push(chunk);
        this.#notify();
      }
    };
    if (unread) await this.#process.status;
    const [status] = await Promise.all([
      this.#process.status,
      read(this.#process.stdout, this.#chunks),
      read(this.#process.stderr, errors),
    ]);
    clearTimeout(this.#timer);
    this.#over = true;
    this.#notify();
    const bytes = joined(this.#chunks);
    const { code, signal } = status;
    return { code, signal, bytes, stdout: decoder.decode(bytes), stderr: decoder.decode(joined(errors)) };
  }

  #notify(): void {
    const waiting = [...this.#changed];
    this.#changed.clear();
    for (const resolve of waiting) resolve();
  }
}

/** Starts `millrace` with these arguments. */
export function start(parameters: readonly string[], options: StartOptions = {}): Process {
  return new Process([...MILLRACE, ...parameters], options);
}

/** Starts a line of a shell, in which `millrace` is the command, as are the words of `parameters`: `$1` and so on. */
export function startShell(line: string, parameters: readonly string[] = []): Process {
  const command = MILLRACE.map((word) => `'${word}'`).join(" ");
  return new Process(["sh", "-c", `millrace() { ${command} "$@"; }; ${line}`, "sh", ...parameters], {});
}

/** Runs `millrace` to its end. */
export async function millrace(parameters: readonly string[], options: StartOptions = {}): Promise<Ended> {
  await using process = start(parameters, options);
  return await process.ended();
}

/** Asserts an end with `code`, nothing on standard output, and one line on standard error that matches. */
export function assertFailure(ended: Ended, code: number, message: RegExp): void {
  assertEquals([ended.code, ended.stdout], [code, ""], ended.stderr);
  assertMatch(ended.stderr, /^millrace: [^\n]*\n$/);
  assertMatch(ended.stderr, message);
}

/** Asserts an end that has nothing to complain of, and returns its standard output. */
export function assertDone(ended: Ended): string {
  assertEquals([ended.code, ended.stderr], [0, ""]);
  return ended.stdout;
}

/** A test that gets a name for a queue, and needs the native library; the queue is gone afterwards. */
export function queueTest(name: string, body: (queue: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !nativeStatus().available,
    async fn() {
      using names = new QueueNames();
      await withWatchdog(WATCHDOG_MS, () => body(names.next()));
    },
  });
}

/** Resolves when `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
