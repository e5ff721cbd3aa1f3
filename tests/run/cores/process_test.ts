import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Child, runProgram, startProgram } from "../../support/net_child.ts";
import { coreModule, coresTest, DRIVERS } from "./support.ts";

/** The start of a program that uses groups of `core.ts`. */
const HEAD = `
  import { startCores } from ${
  JSON.stringify(new URL("../../../src/run/cores/mod.ts", import.meta.url).href)
};
  import * as tasks from ${JSON.stringify(coreModule)};
  const module = ${JSON.stringify(coreModule)};
  const count = (path: string) => [...Deno.readDirSync(path)].length;
  const until = async (check: () => boolean) => {
    while (!check()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
`;

for (const driver of [...DRIVERS, "without the library"] as const) {
  const env: Record<string, string> = driver === "without the library" ? { MILLRACE_NATIVE: "off" } : {};
  const choice = driver === "without the library" ? "auto" : driver;

  coresTest(`a group leaves no thread and no descriptor behind, however it ends (${driver})`, async () => {
    const { code, stdout, stderr } = await runProgram(
      `${HEAD}
      const options = { module, count: 2, driver: ${
        JSON.stringify(choice)
      }, shutdownTimeoutMs: 100 } as const;
      const ends: Record<string, () => Promise<unknown>> = {
        shutdown: async () => { const g = await startCores(options); await g.submitTo(1, tasks.square, 1); await g.shutdown(); },
        terminate: async () => { const g = await startCores(options); g.submitTo(1, tasks.never).catch(() => {}); g.terminate(); },
        deadline: async () => { const g = await startCores(options); g.submitTo(1, tasks.never).catch(() => {}); await g.shutdown(); },
        death: async () => { const g = await startCores(options); g.submitTo(1, tasks.die, "uncaught").catch(() => {}); await g.finished.catch(() => {}); },
        exit: async () => { const g = await startCores(options); g.submitTo(0, tasks.die, "exit").catch(() => {}); await g.finished.catch(() => {}); },
        start: async () => { await startCores({ ...options, module: "data:text/javascript,throw 1" }).catch(() => {}); },
        restart: async () => {
          const { promise, resolve } = Promise.withResolvers<void>();
          const g = await startCores({ ...options, onCoreDeath: "restart", onRestart: () => resolve() });
          g.submitTo(1, tasks.die, "rejection").catch(() => {});
          await promise;
          await g.shutdown();
        },
      };
      await ends.shutdown();
      await ends.terminate();
      await new Promise((resolve) => setTimeout(resolve, 2500));
      const before = [count("/proc/self/task"), count("/proc/self/fd")];
      for (const [name, end] of Object.entries(ends)) {
        for (let round = 0; round < 2; round++) await end();
        await until(() => count("/proc/self/task") <= before[0] && count("/proc/self/fd") <= before[1]);
        console.log(name);
      }`,
      env,
    );
    assertStrictEquals(stderr, "");
    assertEquals(stdout.trim().split("\n"), [
      "shutdown",
      "terminate",
      "deadline",
      "death",
      "exit",
      "start",
      "restart",
    ]);
    assertStrictEquals(code, 0);
  });

  coresTest(
    `a process with a group stays alive for its calls, and ends by itself behind it (${driver})`,
    async () => {
      const { code, stdout, stderr } = await runProgram(
        `${HEAD}
      const group = await startCores({ module, count: 2, driver: ${JSON.stringify(choice)} });
      group.submitTo(1, tasks.sleepFor, 1300, "late").then(async (value) => {
        console.log(value, group.drivers.join());
        await group.shutdown();
        console.log("over");
      });`,
        env,
      );
      const name = driver === "uring" ? "uring" : "deno";
      assertEquals([code, stdout, stderr], [0, `late ${name},${name}\nover\n`, ""]);
    },
  );
}

coresTest(
  "a core in an endless loop is given up: the group ends, and Deno.exit() ends the process",
  async () => {
    const { code, stdout } = await runProgram(`${HEAD}
    const group = await startCores({ module, count: 2, shutdownTimeoutMs: 100 });
    const pending = group.submitTo(1, tasks.spinForever).catch((error) => console.log(error.name));
    await group.submitTo(0, tasks.square, 1);
    console.log(await group.shutdown());
    await pending;
    await group.finished;
    Deno.exit(5);`);
    assertEquals([code, stdout], [5, "CoresClosedError\nfalse\n"]);
  },
);

coresTest("startCores() without --allow-read says so, once", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `${HEAD}await startCores({ module, count: 3 }).catch((error) => console.log(error.name, error.message));`,
    );
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const args = ["run", "--quiet", "--no-prompt", "--no-lock", "--no-check", "--config", config, file];
    await using child = new Child(args);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^NotCapable startCores: no read access to "[^"]+", run again with --allow-read\n$/);
  } finally {
    await Deno.remove(file);
  }
});

const DIES = `${HEAD}
  const group = await startCores({ module, count: 2 });
  await group.submitTo(1, tasks.die, "uncaught");
  const later = () => new Promise((resolve) => setTimeout(resolve, 2000));`;

const UNHEARD: [how: string, program: string][] = [
  ["and nothing else is done", ""],
  ["and other work goes on", "await later(); console.log('went on');"],
  ["and disposal would come later", "await using disposed = group; await later(); console.log('went on');"],
  ["and finished has a handler of its success alone", "group.finished.then(() => console.log('well'));"],
];

for (const [how, program] of UNHEARD) {
  coresTest(`the death of a core that nobody hears of ends the program: ${how}`, async () => {
    const { code, stdout, stderr } = await runProgram(`${DIES}\n${program}`);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /Uncaught \(in promise\) CoreError: core 1 has died: OwnError: uncaught/);
  });
}

coresTest("the death of a core that somebody hears of is theirs", async () => {
  const { code, stdout, stderr } = await runProgram(`${DIES}
    group.finished.catch((error) => console.log(error.message));
    await later();
    console.log(await group.shutdown());`);
  assertEquals([code, stdout, stderr], [0, "core 1 has died: OwnError: uncaught\nfalse\n", ""]);
});

const SIGNALS = `${HEAD}
  const group = await startCores({ module, count: 2, shutdownOn: ["SIGINT", "SIGTERM"] });
  const waiting = group.submitTo(1, tasks.untilAborted, new AbortController().signal).catch((error) => console.log(error.name));
  const slow = group.submitTo(0, tasks.takeSlowly, 600).then((ms) => console.log("slow", ms));
  await group.submitTo(1, tasks.square, 1);
  if (Deno.args.length > 0) group.submitTo(0, tasks.square, 1);
  console.log("ready");
  await group.finished;
  await Promise.allSettled([waiting, slow]);
  console.log("over");`;

coresTest("shutdownOn: a signal shuts the group down, a second one ends it at once", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await using child = await startProgram(SIGNALS);
    await child.says(/ready/);
    child.kill(signal);
    // What was under way is let finish, but the other waits for ever.
    await child.says(/slow 600/);
    child.kill(signal);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout, stderr], [0, "ready\nslow 600\nCoresClosedError\nover\n", ""]);
  }
});

coresTest("shutdownOn: one signal is enough, and its echo no second one", async () => {
  await using child = await startProgram(`${HEAD}
    const group = await startCores({ module, count: 2, shutdownOn: ["SIGINT"] });
    const slow = group.submitTo(0, tasks.takeSlowly, 400).then((ms) => console.log("slow", ms));
    await group.submitTo(1, tasks.square, 1);
    console.log("ready");
    await slow;
    await group.finished;
    console.log(await group.shutdown());`);
  await child.says(/ready/);
  child.kill("SIGINT");
  child.kill("SIGINT");
  const { code, stdout } = await child.ended();
  assertEquals([code, stdout], [0, "ready\nslow 400\ntrue\n"]);
});

coresTest("shutdownOn: a signal while the group starts ends the start", async () => {
  await using child = await startProgram(`${HEAD}
    const starting = startCores({ module: "data:text/javascript,await new Promise(() => {})", count: 2, shutdownOn: ["SIGTERM"] });
    console.log("starting");
    await starting.catch((error) => console.log(error.name, error.message));`);
  await child.says(/starting/);
  child.kill("SIGTERM");
  const { code, stdout } = await child.ended();
  assertEquals([code, stdout], [0, "starting\nAbortError received SIGTERM\n"]);
});
