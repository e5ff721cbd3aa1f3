import { denoExecutable, isOnPath, outputOf } from "./command.ts";

/** What a figure is worthless without. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly loadAverage: string;
  /** Version of each tool by name; one that is not installed says so. */
  readonly versions: Readonly<Record<string, string>>;
  /** Commit of the checkout, `+changes` when files differ from it, or `unknown` outside a repository. */
  readonly commit: string;
}

/** Looks at the machine the benchmarks run on. */
export async function describeMachine(): Promise<Machine> {
  const cpuInfo = await Deno.readTextFile("/proc/cpuinfo");
  const memoryInfo = await Deno.readTextFile("/proc/meminfo");
  const loadAverage = await Deno.readTextFile("/proc/loadavg");
  const memoryKib = Number(/^MemTotal:\s*(\d+)/m.exec(memoryInfo)?.[1] ?? 0);
  return {
    processor: /^model name\s*:\s*(.+)$/m.exec(cpuInfo)?.[1] ?? Deno.build.arch,
    cores: cpuInfo.match(/^processor\s*:/gm)?.length ?? navigator.hardwareConcurrency,
    memoryGib: Math.round(memoryKib / 1024 / 1024),
    kernel: `${await outputOf("uname", "-sr") ?? Deno.build.os}`,
    loadAverage: loadAverage.split(" ").slice(0, 3).join(" "),
    versions: await readVersions(),
    commit: await readCommit(),
  };
}

/** Writes the machine as the head of the tables. */
export function formatMachine(machine: Machine): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `machine   ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB; load average ${machine.loadAverage}`,
    `kernel    ${machine.kernel}`,
    `versions  ${versions.join("\n          ")}`,
    `commit    ${machine.commit}`,
  ].join("\n");
}

async function readVersions(): Promise<Record<string, string>> {
  const version = async (name: string, executable: string, ...args: string[]) => {
    if (executable !== denoExecutable() && !isOnPath(name)) return [name, "not installed"];
    const output = await outputOf(executable, ...args);
    return [name, output?.split("\n")[0].replace(`${name} `, "") ?? "not known"];
  };
  return Object.fromEntries(
    await Promise.all([
      version("deno", denoExecutable(), "--version"),
      version("node", "node", "--version"),
      version("rustc", "rustc", "--version"),
      version("cc", "cc", "--version"),
      version("go", "go", "version"),
      version("bun", "bun", "--version"),
      // These two write their version to standard error, and wrk ends with 1 after it.
      version("nginx", "sh", "-c", "nginx -v 2>&1"),
      version("wrk", "sh", "-c", "wrk -v 2>&1 || true"),
    ]),
  );
}

async function readCommit(): Promise<string> {
  const commit = await outputOf("git", "rev-parse", "--short=12", "HEAD");
  if (commit === undefined) return "unknown";
  const changes = await outputOf("git", "status", "--porcelain");
  return changes === "" ? commit : `${commit}+changes`;
}
