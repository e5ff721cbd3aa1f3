import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import {
  closeDescriptor,
  listeningSocket,
  NativeChild,
  type NativeSpawnRequest,
  processUsage,
  socketPair,
} from "../../ffi/mod.ts";
import { nativeTest } from "../support/driver_native.ts";
import { runProgram } from "../support/driver_program.ts";
import {} from "../support/process_harness.ts";
import { isRunning } from "../support/processes.ts";

const PLAIN: NativeSpawnRequest = {
  program: "/bin/sh",
  args: ["sh", "-c", "exit 0"],
  variables: [],
  clearEnvironment: false,
  directory: "",
  notifyPath: "",
  descriptors: [],
  setListenPid: false,
  pipes: true,
  control: false,
  survives: false,
  guardDescriptor: -1,
};

/** Milliseconds in which a process that was killed is gone. */
const END_MS_MAX = 20_000;

interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly notes: readonly string[];
}

async function untilEnded(pid: number): Promise<void> {
  const endMs = performance.now() + END_MS_MAX;
  while (isRunning(pid)) {
    if (performance.now() > endMs) {
      fail(
        `process ${pid} still runs after ${END_MS_MAX} ms: ${await Deno.readTextFile(`/proc/${pid}/status`)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs a line of the shell to its end. */
async function shell(
  line: string,
  request: Partial<NativeSpawnRequest> = {},
  onStart: (child: NativeChild) => void = () => {},
): Promise<Outcome> {
  const notes: string[] = [];
  const ended = Promise.withResolvers<Pick<Outcome, "code" | "signal">>();
  const child = NativeChild.spawn({ ...PLAIN, args: ["sh", "-c", line], ...request }, {
    onNotify: (text) => notes.push(text),
    onExit: (code, signal) => ended.resolve({ code, signal }),
  });
  const output = Promise.withResolvers<void>();
  let stdout = "";
  child.stdout?.on("data", (bytes: Uint8Array) => stdout += new TextDecoder().decode(bytes));
  child.stdout?.on("close", output.resolve);
  child.stderr?.on("data", () => {});
  onStart(child);
  const end = await ended.promise;
  if (child.stdout !== undefined) await output.promise;
  child.control?.destroy();
  assert(child.ended && !child.kill("SIGTERM"));
  return { ...end, stdout, notes };
}

nativeTest("NativeChild tells how a process ended: its code, or the signal", async () => {
  assertEquals((await shell("exit 0")).code, 0);
  assertEquals((await shell("exit 255")).code, 255);
  for (const signal of ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGUSR1"] as const) {
    const { code, signal: by } = await shell("sleep 100", {}, (child) => assert(child.kill(signal)));
    assertStrictEquals(by, signal);
    assert(code > 128);
  }
});

nativeTest("NativeChild.spawn() throws for what cannot be run, and says what failed", () => {
  const handler = { onNotify() {}, onExit() {} };
  const spawn = (request: Partial<NativeSpawnRequest>) =>
    NativeChild.spawn({ ...PLAIN, ...request }, handler);
  assertThrowsMatching(() => spawn({ program: "/no/such" }), {
    name: "NotFound",
    message: /^spawn \/no\/such: /,
  });
  assertThrowsMatching(() => spawn({ program: "/etc/passwd" }), { name: "PermissionDenied" });
  assertThrowsMatching(() => spawn({ directory: "/no/such" }), {
    name: "NotFound",
    message: /change to the directory \/no\/such: /,
  });
  assertThrowsMatching(() => spawn({ args: ["a\0b"] }), {
    name: "TypeError",
    message: /"a\\u0000b" has a zero byte/,
  });
  assertThrowsMatching(() => spawn({ descriptors: [1_000_000] }), {
    name: "BadResource",
    message: /hand descriptors down/,
  });
  assertThrows(() => spawn({ notifyPath: `/${"x".repeat(200)}` }));
  assertThrowsMatching(() => spawn({ guardDescriptor: 1_000_000 }), { name: "BadResource" });
});

nativeTest(
  "NativeChild has descriptors at 3 and up, whatever numbers they have here, and no others",
  async () => {
    const sockets = Array.from(
      { length: 3 },
      () => listeningSocket({ hostname: "127.0.0.1", port: 0 }, { backlog: 1, reusePort: false }),
    );
    const { stdout } = await shell(
      "ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/3 /proc/self/fd/4 /proc/self/fd/5 | sed 's/:.*//'",
      {
        descriptors: sockets.toReversed(),
        control: true,
      },
    );
    const [numbers, ...kinds] = stdout.trim().split(/ (?=socket)|\n/);
    // What ls itself has open is behind them.
    assertMatch(numbers, /^0 1 2 3 4 5 6 7 ?$/);
    assertEquals(kinds, ["socket", "socket", "socket"]);
    for (const fd of sockets) {
      closeDescriptor(fd);
    }
  },
);

nativeTest("NativeChild has the variables of this process, with changes, or none of them", async () => {
  const { stdout } = await shell(`printf '%s\\n' "$A" "$PATH" "$HOME" "$LISTEN_PID" $$`, {
    variables: ["A=x=y", "HOME"],
    setListenPid: true,
  });
  const [value, path, home, listenPid, own] = stdout.split("\n");
  assertEquals([value, path, home], ["x=y", Deno.env.get("PATH"), ""]);
  assertStrictEquals(listenPid, own);
  const cleared = await shell("env | sort", { clearEnvironment: true, variables: ["A=1"] });
  assertMatch(cleared.stdout, /^A=1\n(?!.*PATH=\/root)/);
});

nativeTest("NativeChild leads a process group, has default signals, and reads nothing", async () => {
  const { stdout } = await shell(
    "cut -d' ' -f5 /proc/$$/stat; echo $$; grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2; readlink /proc/$$/fd/0",
  );
  const [group, pid, blocked, ignored, input] = stdout.trim().split("\n");
  assertStrictEquals(group, pid);
  assertEquals([blocked, ignored], ["0000000000000000", "0000000000000000"]);
  assertStrictEquals(input, "/dev/null");
});

nativeTest("NativeChild has default signals also where this process ignores some", async () => {
  // Whoever is started by Deno ignores those that the C library uses itself.
  const ffi = new URL("../../ffi/mod.ts", import.meta.url).href;
  const source = `
    import { NativeChild } from ${JSON.stringify(ffi)};
    const args = ["sh", "-c", "grep SigIgn /proc/self/status | cut -f2"];
    NativeChild.spawn({ ...${
    JSON.stringify({ ...PLAIN, pipes: false })
  }, args }, { onNotify() {}, onExit() {} });
    const own = Deno.readTextFileSync("/proc/self/status").match(/SigIgn:\\t(.*)/)[1];
    if (BigInt("0x" + own) === 0n) console.log("this process ignores none");
  `;
  const { code, stdout, stderr } = await runProgram(source);
  assertEquals([code, stdout], [0, "0000000000000000\n"], stderr);
});

nativeTest("NativeChild takes what is left of its process group with it", async () => {
  let left = 0;
  await shell("sh -c 'trap \"\" TERM HUP; sleep 1000' & echo $!", {}, (child) => {
    child.stdout?.on("data", (bytes: Uint8Array) => left = Number(new TextDecoder().decode(bytes)));
  });
  assert(left > 0);
  await untilEnded(left);
});

nativeTest("NativeChild tells what comes to its NOTIFY_SOCKET, also right before its end", async () => {
  const directory = await Deno.makeTempDir();
  const notifyPath = `${directory}/notify`;
  const program = "import os, socket\nout = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n" +
    "for text in ['READY=1', 'STATUS=' + 'x' * 3000, 'STOPPING=1']: out.sendto(text.encode(), os.environ['P'])";
  const { code, notes } = await shell(`command -v python3 >/dev/null || exit 77; python3 -c "$PROGRAM"`, {
    notifyPath,
    variables: [`P=${notifyPath}`, `PROGRAM=${program}`],
  });
  await Deno.remove(directory, { recursive: true });
  // A machine without Python.
  if (code === 77) return;
  assertEquals(notes, ["READY=1", `STATUS=${"x".repeat(3000)}`, "STOPPING=1"]);
});

nativeTest("NativeChild tells the guard of its group before it runs, and when it has ended", async () => {
  const [ours, theirs] = socketPair();
  let pid = 0;
  await shell("exit 0", { guardDescriptor: ours }, (child) => pid = child.pid);
  closeDescriptor(ours);
  const { stdout } = await shell("cat <&3", { descriptors: [theirs] });
  closeDescriptor(theirs);
  assertStrictEquals(stdout, `+ ${pid}\n- ${pid}\n`);
});

nativeTest("NativeChild ends with the thread that has started it", async () => {
  const worker = new Worker(new URL("./spawning_worker.ts", import.meta.url), { type: "module" });
  const pid = await new Promise<number>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  assert(isRunning(pid));
  worker.terminate();
  await untilEnded(pid);
});

nativeTest("processUsage() tells memory and processor time of a process", () => {
  const usage = processUsage(Deno.pid);
  assert(usage !== undefined && usage.memoryBytes > 1_000_000 && usage.cpuMs > 0);
  assertStrictEquals(processUsage(2 ** 31 - 1), undefined);
});
