import { fileURLToPath } from "node:url";
import type { Address } from "../../src/io/reactor/mod.ts";
import type { ProcessEvent, ProcessSpec } from "../../src/run/process/mod.ts";

const PROGRAM = fileURLToPath(new URL("../run/process/master.ts", import.meta.url));

/** A supervisor in a process of its own, which a test may kill. */
export class MasterProcess {
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly events: ProcessEvent[] = [];
  /** Processes that were started. */
  readonly pids = new Set<number>();
  /** Directory of its temporary files, which it has for itself. */
  readonly temporary: string;
  addresses: Readonly<Record<string, Address>>[] = [];
  readonly #child: Deno.ChildProcess;

  constructor(
    directory: string,
    specs: readonly ProcessSpec[],
    { controlPath, permissions = ["-A"] }: { controlPath?: string; permissions?: readonly string[] } = {},
  ) {
    this.temporary = `${directory}/t-${crypto.randomUUID().slice(0, 8)}`;
    Deno.mkdirSync(this.temporary);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...permissions,
        "--no-check",
        "--no-lock",
        "--quiet",
        PROGRAM,
        JSON.stringify(specs),
        ...(controlPath === undefined ? [] : [controlPath]),
      ],
      env: { TMPDIR: this.temporary },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
      // A process group of its own, as in a terminal.
      detached: true,
    }).spawn();
    this.pid = this.#child.pid;
    this.status = this.#child.status;
    this.#read();
  }

  kill(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** Kills it if it has not ended; what survives it takes what it has started along. */
  async close(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.status;
  }

  count(type: ProcessEvent["type"]): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** What is left of its files. */
  leftOver(): string[] {
    return Array.from(Deno.readDirSync(this.temporary), ({ name }) => name);
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  #take(event: ProcessEvent & { addresses?: Record<string, Address>[] }): void {
    if (event.addresses !== undefined) {
      this.addresses = event.addresses;
      return;
    }
    if (event.type === "started") this.pids.add(event.pid);
    this.events.push(event);
  }
}
