import { ChildProcess } from "./child_process.ts";
import { type Command, commandLine, denoExecutable, isOnPath } from "./command.ts";
import { type Cores, onCore } from "./cores.ts";
import { type LoadResult, parseGeneratorOutput, parseWrkOutput } from "./load_result.ts";
import { builtFromC } from "./peers.ts";

/** What clients do to a server, each with one request in flight. */
export interface LoadShape {
  readonly protocol: "http" | "echo";
  readonly connections: number;
  /** A new connection for every request, in place of keeping them. */
  readonly isConnectionPerRequest: boolean;
  /** Bytes of one message, for echo. @default 64 */
  readonly messageBytes?: number;
}

/** A program that makes one shape of load. */
export interface LoadGenerator {
  /** What it is, for the report. */
  readonly description: string;
  /** Command for a server's port and a number of seconds. */
  command(port: number, seconds: number): Command;
  /** Reads what the program printed. */
  parse(output: string): LoadResult;
}

/** Longer than the slowest start of a generator, added to the seconds of load it is asked for. */
const graceMs = 15_000;

/**
 * Chooses the generator: `wrk` for kept HTTP connections where it is installed, else our own in C, else our own in TypeScript.
 *
 * `wrk` speaks no bare TCP. It would make a connection per request when asked to close, but counts neither short answers nor
 * a missing end of stream, so those runs are our own generator's.
 */
export async function chooseGenerator(shape: LoadShape): Promise<LoadGenerator> {
  if (shape.protocol === "http" && !shape.isConnectionPerRequest && isOnPath("wrk")) return wrk(shape);
  const native = await builtFromC("load");
  if (native.state === "ready") return ownGenerator("bench/peers/load.c", native.command, shape);
  const portable = { executable: denoExecutable(), args: ["run", "-A", "bench/peers/load.ts"] };
  return ownGenerator(`bench/peers/load.ts, as ${native.reason}`, portable, shape);
}

/**
 * Runs a generator to its end on the core for load.
 *
 * @throws {Error} when it fails or does not end
 */
export async function runLoad(
  generator: LoadGenerator,
  port: number,
  seconds: number,
  cores: Cores,
): Promise<LoadResult> {
  const command = generator.command(port, seconds);
  await using process = ChildProcess.start(onCore(command, cores.load, cores));
  const timer = setTimeout(() => process.stop(), seconds * 1000 + graceMs);
  const { success } = await process.ended;
  clearTimeout(timer);
  if (!success) throw new Error(`${commandLine(command)}: ${await process.describeEnd()}`);
  return generator.parse(process.output);
}

function wrk(shape: LoadShape): LoadGenerator {
  return {
    description: "wrk, one thread",
    command: (port, seconds) => ({
      executable: "wrk",
      args: ["-t1", `-c${shape.connections}`, `-d${seconds}s`, "--latency", `http://127.0.0.1:${port}/`],
    }),
    parse: parseWrkOutput,
  };
}

function ownGenerator(description: string, program: Command, shape: LoadShape): LoadGenerator {
  const { protocol, connections, isConnectionPerRequest, messageBytes = 64 } = shape;
  return {
    description,
    command: (port, seconds) => ({
      ...program,
      args: [
        ...program.args,
        protocol,
        String(port),
        "--connections",
        String(connections),
        "--seconds",
        String(seconds),
        ...(protocol === "echo" ? ["--bytes", String(messageBytes)] : []),
        ...(isConnectionPerRequest ? ["--close"] : []),
      ],
    }),
    parse: parseGeneratorOutput,
  };
}
