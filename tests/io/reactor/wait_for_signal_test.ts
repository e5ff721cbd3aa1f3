import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SIGNAL_ECHO_MS, waitForSignal } from "../../../src/io/reactor/mod.ts";
import { CountedAbort } from "../../base/timer/support.ts";
import { type Child, startProgram } from "../../support/net_child.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/** Starts a program that says "ready" at the end of `body`, and stays. */
async function start(body: string): Promise<Child> {
  const child = await startProgram(`
    import { SIGNAL_ECHO_MS, waitForSignal } from "@millrace/millrace/reactor";
    const staying = setInterval(() => {}, 1000);
    const stay = () => {};
    const end = () => clearInterval(staying);
    ${body}
    console.log("ready");
  `);
  await child.says(/ready/);
  return child;
}

for (const signal of SIGNALS) {
  Deno.test(`waitForSignal() resolves to ${signal}, which does not end the process`, async () => {
    await using child = await start(`
      waitForSignal(${JSON.stringify(SIGNALS)}).then((name) => {
        console.log("got", name);
        end();
      });
    `);
    child.kill(signal);
    const { code, stdout, stderr } = await child.ended();
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: `ready\ngot ${signal}\n`, stderr: "" });
  });
}

Deno.test("waitForSignal() gives the default action back when it has resolved", async () => {
  await using child = await start(`
    waitForSignal(["SIGTERM", "SIGINT"]).then((name) => {
      // Longer than an echo takes.
      setTimeout(() => console.log("got", name), 2 * SIGNAL_ECHO_MS);
    });
  `);
  child.kill("SIGTERM");
  await child.says(/got SIGTERM/);
  child.kill("SIGINT");
  assertStrictEquals((await child.ended()).signal, "SIGINT");
});

Deno.test("waitForSignal() gives the default action back when it was aborted", async () => {
  await using child = await start(`
    const controller = new AbortController();
    const waiting = waitForSignal(["SIGTERM", "SIGINT"], { signal: controller.signal });
    controller.abort(new Error("enough"));
    await waiting.catch((error) => console.log(error.message));
    await new Promise((resolve) => setTimeout(resolve, 2 * SIGNAL_ECHO_MS));
  `);
  assertMatch(child.stdout, /enough/);
  child.kill("SIGTERM");
  assertStrictEquals((await child.ended()).signal, "SIGTERM");
});

Deno.test("waitForSignal() leaves signals alone that it was not asked for", async () => {
  await using child = await start(`waitForSignal(["SIGUSR1"]);`);
  child.kill("SIGTERM");
  assertStrictEquals((await child.ended()).signal, "SIGTERM");
});

Deno.test("waitForSignal() with ignoreForMs takes what comes at once for an echo", async () => {
  await using child = await start(`
    waitForSignal(["SIGINT"], { ignoreForMs: 400 }).then((name) => {
      console.log("got", name);
      end();
    });
    setTimeout(() => console.log("over"), 450);
  `);
  for (let count = 0; count < 5; count++) child.kill("SIGINT");
  await child.says(/over/);
  assertNotMatch(child.stdout, /got/);
  child.kill("SIGINT");
  const { code, stdout } = await child.ended();
  assertEquals({ code, stdout }, { code: 0, stdout: "ready\nover\ngot SIGINT\n" });
});

Deno.test("waitForSignal() one after the other survives any number of signals in between", async () => {
  await using child = await start(`
    (async () => {
      for (let count = 1; count <= 200; count++) await waitForSignal(["SIGINT"]);
      console.log("survived");
      // There may be more on their way, for as long as nobody has read that.
      for (;;) await waitForSignal(["SIGINT"]);
    })();
  `);
  // Signals that come while one is pending merge, so it takes more than are waited for; each may meet the gap between
  // two waits.
  while (!child.stdout.includes("survived")) {
    child.kill("SIGINT");
    if (Math.random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 0));
    const over = await Promise.race([child.ended(), Promise.resolve(undefined)]);
    if (over !== undefined) break;
  }
  child.kill("SIGTERM");
  const { signal, stdout } = await child.ended();
  assertEquals({ signal, stdout }, { signal: "SIGTERM", stdout: "ready\nsurvived\n" });
});

Deno.test("waitForSignal() called twice resolves both", async () => {
  await using child = await start(`
    Promise.all([waitForSignal(["SIGUSR2"]), waitForSignal(["SIGUSR2", "SIGINT"])]).then((names) => {
      console.log("got", ...names);
      end();
    });
  `);
  child.kill("SIGUSR2");
  assertMatch((await child.ended()).stdout, /got SIGUSR2 SIGUSR2/);
});

Deno.test("waitForSignal() rejects with the reason of its signal, and leaves no listener on it", async () => {
  const abort = new CountedAbort();
  const waiting = waitForSignal(["SIGUSR2"], { signal: abort.signal });
  assertStrictEquals(abort.listenerCount, 1);
  abort.abort(new Error("enough"));
  await assertRejectsMatching(() => waiting, { message: "enough" });
  assertStrictEquals(abort.listenerCount, 0);
  await assertRejectsMatching(() => waitForSignal(["SIGUSR2"], { signal: abort.signal }), {
    message: "enough",
  });
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("waitForSignal() leaves no listener on its abort signal when it resolves", async () => {
  const abort = new CountedAbort();
  const waiting = waitForSignal(["SIGWINCH"], { signal: abort.signal });
  Deno.kill(Deno.pid, "SIGWINCH");
  assertStrictEquals(await withWatchdog(10_000, () => waiting), "SIGWINCH");
  assertStrictEquals(abort.listenerCount, 0);
  abort.abort();
});

Deno.test("waitForSignal() rejects for signals that cannot be listened to, and listens to none", async () => {
  for (const signals of [["SIGKILL"], ["SIGUSR2", "SIGSTOP"], ["SIGUSR2", "SIGNONE" as Deno.Signal]]) {
    const abort = new CountedAbort();
    await assertRejects(() => waitForSignal(signals as Deno.Signal[], { signal: abort.signal }), TypeError);
    assertStrictEquals(abort.listenerCount, 0);
  }
});

Deno.test("SIGNAL_ECHO_MS is longer than an echo and shorter than a person", () => {
  assert(SIGNAL_ECHO_MS >= 50 && SIGNAL_ECHO_MS <= 500);
});
