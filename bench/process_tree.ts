/** Fields of a line of `/proc/PID/stat` by their number in proc_pid_stat(5); the name, field 2, is left empty. */
export function statFields(stat: string): string[] {
  // The name may hold blanks and parentheses, so the fields after it are counted from its end.
  const afterName = stat.slice(stat.lastIndexOf(")") + 2).trimEnd().split(" ");
  return ["", stat.slice(0, stat.indexOf(" ")), "", ...afterName];
}

/** Identifiers of the children of a process, and of theirs. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOrUndefined(`/proc/${name}/stat`);
    if (stat === undefined) continue;
    const parent = Number(statFields(stat)[4]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    pending.push(...own);
  }
  return found;
}

/** A process by more than its number, which another may have later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since boot. */
  readonly startTicks: string;
}

/** Identity of a living process, or `undefined` when there is none of that number, or one that only waits to be buried. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = statFields(stat);
  return fields[3] === "Z" ? undefined : { pid, startTicks: fields[22] };
}

/** Ends a process, unless it has ended already. */
export function endIfAlive(process: ProcessIdentity): void {
  if (identify(process.pid)?.startTicks !== process.startTicks) return;
  try {
    Deno.kill(process.pid, "SIGKILL");
  } catch {
    // It ended between the look and the signal.
  }
}

/** Text of a file in `/proc`, or `undefined` when what it is about has ended meanwhile. */
export function readOrUndefined(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
