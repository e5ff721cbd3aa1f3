import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { nameSkipReason } from "../../support/driver_native.ts";
import { runProgram } from "../../support/driver_program.ts";
import { uringSkipReason } from "../../support/driver_uring.ts";
import { withWatchdog } from "../../support/watchdog.ts";

// When a process ends is the whole process's affair, so each of these is one.

const WATCHDOG_MS = 120_000;
/** How long a process that should not end is given to do so. */
const STAYS_MS = 1500;
const uringSkip = uringSkipReason();

nameSkipReason("how processes on io_uring end", uringSkip);

const KINDS = [
  { title: "uring, cooperate", options: { driver: "uring", idle: "cooperate" } },
  { title: "uring, block", options: { driver: "uring", idle: "block" } },
  { title: "uring, spin", options: { driver: "uring", idle: "spin" } },
  { title: "deno", options: { driver: "deno", idle: "cooperate" } },
  { title: "simulated", options: { driver: "simulated", idle: "cooperate" } },
] as const;

/** Opens a reactor, which is to be done with at the end of each program. */
function programFor(options: { driver: string; idle: string }, body: string): string {
  const opening = options.driver === "simulated"
    ? "new Reactor(new SimulatedDriver())"
    : `Reactor.open(${JSON.stringify(options)})`;
  return `
    import { Reactor, SimulatedDriver } from "@millrace/millrace/reactor";
    import { sleep } from "@millrace/millrace/timer";
    void SimulatedDriver, sleep;
    const reactor = ${opening};
    const { driver } = reactor;
    const listen = () => driver.listen({ hostname: "127.0.0.1", port: 0 }, { backlog: 8, reusePort: false, noDelay: true });
    const accepting = { onAccept() {}, onAcceptError() {} };
    const receiving = { onReceive() {}, onReceiveEnd() {}, onSent() {}, onSendFailed() {} };
    ${body}
    console.log("end of main");
  `;
}

/** Programs that end by themselves. */
const ENDING: Readonly<Record<string, string>> = {
  "when nothing was asked for": "",
  "when a reactor is open and its timers have run": `await sleep(20, { timers: reactor.timers });`,
  "when its only timer was cancelled": `
    const timer = reactor.timers.schedule(3_600_000, () => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    timer.cancel();
  `,
  "when its listener and sockets are closed": `
    const listener = listen();
    const accepted = new Promise((resolve) => listener.startAccepting({ ...accepting, onAccept: resolve }));
    const client = await driver.connect(listener.localAddress, { noDelay: true });
    const server = await accepted;
    for (const socket of [client, server]) {
      socket.attach(receiving);
      socket.startReceiving();
    }
    await sleep(5, { timers: reactor.timers });
    for (const closeable of [client, server, listener]) closeable.close();
  `,
  "when its listener is not referenced": `
    const listener = listen();
    listener.startAccepting(accepting);
    listener.setReferenced(false);
  `,
  "when its listener is not referenced any more while it sleeps": `
    const listener = listen();
    listener.startAccepting(accepting);
    setTimeout(() => listener.setReferenced(false), 50);
  `,
  "when its sockets are not referenced": `
    const listener = listen();
    const accepted = new Promise((resolve) => listener.startAccepting({ ...accepting, onAccept: resolve }));
    const client = await driver.connect(listener.localAddress, { noDelay: true });
    const server = await accepted;
    listener.close();
    for (const socket of [client, server]) {
      socket.attach(receiving);
      socket.setReferenced(false);
      socket.startReceiving();
    }
  `,
  "when the reactor is closed with everything open": `
    const listener = listen();
    listener.startAccepting(accepting);
    const client = await driver.connect(listener.localAddress, { noDelay: true });
    client.attach(receiving);
    client.startReceiving();
    const datagrams = await driver.bindDatagram({ hostname: "127.0.0.1", port: 0 }, { reusePort: false });
    datagrams.startReceiving({ onDatagram() {}, onDatagramError() {} });
    reactor.timers.schedule(driver.delivery === "polled" ? 3_600_000 : 10, () => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    reactor.close();
  `,
};

for (const { title, options } of KINDS) {
  const ignore = options.driver === "uring" && uringSkip !== undefined;
  Deno.test({
    name: `Reactor (${title}) lets the process end when nothing is pending`,
    ignore,
    fn: () =>
      withWatchdog(WATCHDOG_MS, async () => {
        for (const [when, body] of Object.entries(ENDING)) {
          const { code, stdout, stderr } = await runProgram(programFor(options, body));
          assertEquals({ when, code, stdout, stderr }, {
            when,
            code: 0,
            stdout: "end of main\n",
            stderr: "",
          });
        }
      }),
  });

  Deno.test({
    name: `Reactor (${title}) keeps the process alive while a listener is open`,
    ignore,
    fn: () =>
      withWatchdog(WATCHDOG_MS, async () => {
        const body = "listen().startAccepting(accepting);";
        const result = await runProgram(programFor(options, body), { timeoutMs: STAYS_MS });
        assertStrictEquals(result.code, 143, "the process ended by itself");
        assertStrictEquals(result.stdout, "end of main\n");
      }),
  });

  Deno.test({
    name: `Reactor (${title}) keeps the process alive while a timer is pending`,
    ignore,
    fn: () =>
      withWatchdog(WATCHDOG_MS, async () => {
        const body = `reactor.timers.schedule(100, () => console.log("timer"));`;
        const { code, stdout } = await runProgram(programFor(options, body));
        assertEquals({ code, stdout }, { code: 0, stdout: "end of main\ntimer\n" });
      }),
  });
}

/** A handler that throws, and a timer of the same reactor that is due later. */
const THROWING = `
  const listener = listen();
  listener.startAccepting({ ...accepting, onAccept() { throw new Error("of the handler"); } });
  await driver.connect(listener.localAddress, { noDelay: true });
  await sleep(30, { timers: reactor.timers });
  console.log("goes on");
  reactor.close();
`;

for (const { title, options } of KINDS.filter(({ options }) => options.driver !== "deno")) {
  Deno.test({
    name: `Reactor (${title}) goes on after a handler that throws, if the program does`,
    ignore: options.driver === "uring" && uringSkip !== undefined,
    fn: () =>
      withWatchdog(WATCHDOG_MS, async () => {
        const uncaught = await runProgram(programFor(options, THROWING));
        assertStrictEquals(uncaught.code, 1);
        assertMatch(uncaught.stderr, /Uncaught.*of the handler/);
        const handling = `
          addEventListener("error", (event) => {
            event.preventDefault();
            console.log(event.error.message);
          });
        `;
        const { code, stdout } = await runProgram(programFor(options, handling + THROWING));
        assertEquals({ code, stdout }, { code: 0, stdout: "of the handler\ngoes on\nend of main\n" });
      }),
  });
}
