import type { Command } from "./command.ts";
import { commandLine, isOnPath, outputOf } from "./command.ts";
import { builtFromC } from "./peers.ts";

/** Where the server and the load run, and how a process is kept there. */
export interface Cores {
  /** Core of every server and of every measured program, or `undefined` when nothing is pinned. */
  readonly server: number | undefined;
  /** Core of the load generator, or `undefined` when it is not pinned. */
  readonly load: number | undefined;
  /** One sentence on how processes are pinned, or why they are not. */
  readonly description: string;
  /** Program and leading arguments that run the rest on the core of the number that follows. */
  readonly pinner: readonly string[] | undefined;
}

/**
 * Chooses the first two cores this process may use, with `taskset` or, without it, a small program of our own.
 *
 * A machine with one core runs both on it, which is said in the description.
 */
export async function chooseCores(): Promise<Cores> {
  const allowed = allowedCores(await Deno.readTextFile("/proc/self/status"));
  const pinner = await findPinner();
  if ("reason" in pinner) {
    return {
      server: undefined,
      load: undefined,
      pinner: undefined,
      description: `not pinned: ${pinner.reason}`,
    };
  }
  const [server, load] = [allowed[0], allowed[1] ?? allowed[0]];
  const by = pinner.words[0] === "taskset" ? "taskset" : "bench/peers/pin.c";
  const shared = siblings(server).includes(load) && server !== load
    ? "; they are threads of one physical core"
    : "";
  const description = server === load
    ? `server and load share core ${server}, the only one allowed (${by})`
    : `server on core ${server}, load on core ${load} (${by})${shared}`;
  return { server, load, pinner: pinner.words, description };
}

/** Puts a command on a core; the process that starts becomes the command, so its identifier is the command's. */
export function onCore(command: Command, core: number | undefined, cores: Cores): Command {
  if (core === undefined || cores.pinner === undefined) return command;
  const [executable, ...args] = cores.pinner;
  return { ...command, executable, args: [...args, String(core), command.executable, ...command.args] };
}

/** How many files a process may open here, as far as this user can raise it. */
export async function openFilesMax(wanted: number): Promise<number> {
  const limits = await Deno.readTextFile("/proc/self/limits");
  const line = limits.split("\n").find((text) => text.startsWith("Max open files"));
  const hard = Number(line?.split(/\s+/)[4] ?? 0);
  if (hard >= wanted) return hard;
  const raised = await outputOf("sh", "-c", `ulimit -n ${wanted} && ulimit -n`);
  return raised === undefined ? hard : Number(raised);
}

/** Lets a command open that many files; the process that starts becomes the command. */
export function withOpenFiles(command: Command, openFiles: number): Command {
  const script = `ulimit -S -n ${openFiles} 2>/dev/null || ulimit -n ${openFiles}; exec "$@"`;
  return { ...command, executable: "sh", args: ["-c", script, "sh", command.executable, ...command.args] };
}

/** The numbers in a kernel list such as `0-2,5`. */
export function coreList(list: string): number[] {
  return list.trim().split(",").filter((range) => range !== "").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function allowedCores(status: string): number[] {
  const cores = coreList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "0");
  return cores.length === 0 ? [0] : cores;
}

function siblings(core: number): number[] {
  try {
    return coreList(
      Deno.readTextFileSync(`/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`),
    );
  } catch {
    // Not every container shows the topology; without it nothing is claimed.
    return [core];
  }
}

async function findPinner(): Promise<{ words: string[] } | { reason: string }> {
  if (isOnPath("taskset")) return { words: ["taskset", "-c"] };
  const pin = await builtFromC("pin");
  if (pin.state === "unavailable") return { reason: `no taskset, and ${pin.reason}` };
  return { words: [commandLine(pin.command)] };
}
