import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { nameSkipReason } from "../../../support/driver_native.ts";
import { runProgram } from "../../../support/driver_program.ts";
import { URING_RUNGS, uringSkipReason } from "../../../support/driver_uring.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

// Descriptors and threads are the whole process's, so each of these is one, where nobody else opens any.

const WATCHDOG_MS = 120_000;
const urlOf = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

nameSkipReason("what a worker on io_uring leaves behind", uringSkipReason());

/** What every program begins with. */
const COMMON = `
  const hostname = "127.0.0.1";
  const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));
  const names = (directory) => [...Deno.readDirSync(directory)].map(({ name }) => name);
  const read = (look) => { try { return look(); } catch { return ""; } };

  /** What this process has: open descriptors, threads that are no runtime's own, mapped rings. */
  function owned() {
    const descriptors = names("/proc/self/fd").map((name) => read(() => Deno.readLinkSync("/proc/self/fd/" + name)));
    const threads = names("/proc/self/task").map((name) => read(() => Deno.readTextFileSync("/proc/self/task/" + name + "/comm")));
    return {
      descriptors: descriptors.filter((target) => /^(socket|pipe|anon_inode):|millrace_worker_end/.test(target)).length,
      threads: threads.filter((name) => name !== "" && !/^(tokio|V8)/.test(name)).length,
      mappings: Deno.readTextFileSync("/proc/self/maps").split("\\n").filter((line) => line.includes("io_uring")).length,
    };
  }

  /** Looks until this process has what it had, or no more hope. */
  async function settled(before) {
    for (let looks = 0; looks < 500 && JSON.stringify(owned()) !== JSON.stringify(before); looks++) await sleep(10);
    return owned();
  }

  /** How a connection ended: "end" or the name of an error. */
  async function endOf(conn) {
    try {
      while (await conn.read(new Uint8Array(64)) !== null);
      return "end";
    } catch (error) {
      return error.name;
    } finally {
      conn.close();
    }
  }

  /** Binds the port without sharing it, as soon as nobody else listens there. */
  async function bindAlone(port) {
    for (;;) {
      try {
        Deno.listen({ hostname, port }).close();
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
        await sleep(5);
      }
    }
  }

  function open(url) {
    const worker = new Worker(url, { type: "module" });
    worker.onerror = (event) => event.preventDefault();
    return worker;
  }

  function ask(worker, message) {
    const { promise, resolve } = Promise.withResolvers();
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(message);
    return promise;
  }

  async function connected(port) {
    const conn = await Deno.connect({ hostname, port });
    await conn.write(new Uint8Array([1]));
    await conn.read(new Uint8Array(1));
    return conn;
  }

  // The runtime starts its signal thread, with a pair of sockets, when it first needs it.
  const ignore = () => {};
  Deno.addSignalListener("SIGUSR1", ignore);
  Deno.removeSignalListener("SIGUSR1", ignore);
  const directory = Deno.makeTempDirSync({ prefix: "millrace_worker_end" });
  const path = directory + "/file";
`;

/** Runs a program that prints JSON. */
async function run(body: string): Promise<unknown> {
  const { code, stdout, stderr } = await withWatchdog(
    WATCHDOG_MS,
    () =>
      runProgram(`${COMMON}\n${body}\nDeno.removeSync(directory, { recursive: true });`, {
        timeoutMs: WATCHDOG_MS,
      }),
  );
  assertStrictEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

const ENDS = ["end", "ConnectionReset"];

for (const rung of URING_RUNGS) {
  const ignore = uringSkipReason(rung) !== undefined;
  for (const idle of ["cooperate", "block", "spin"]) {
    Deno.test({
      name: `A worker on io_uring (${rung}, ${idle}) leaves nothing open, however it ends`,
      ignore,
      async fn() {
        const rounds = await run(`
          const rounds = [];
          let before;
          for (const way of ["terminate", "terminate", "throw", "close", "futex", "enter"]) {
            const worker = open(${urlOf("ending_worker.ts")});
            const port = await ask(worker, { port: 0, rung: "${rung}", idle: "${idle}", path, accept: true });
            const conns = await Promise.all(Array.from({ length: 10 }, () => connected(port)));
            const ends = conns.map(endOf);
            if (way === "futex" || way === "enter") await ask(worker, way);
            if (way === "throw" || way === "close") worker.postMessage(way);
            else worker.terminate();
            const endings = await Promise.all(ends);
            await bindAlone(port);
            if (before === undefined) {
              // The first round is for what the runtime itself opens and keeps.
              await sleep(200);
              before = owned();
            }
            rounds.push({ way, endings, before, after: await settled(before) });
          }
          console.log(JSON.stringify(rounds));
        `);
        assert(Array.isArray(rounds));
        assertStrictEquals(rounds.length, 6);
        for (const { way, endings, before, after } of rounds) {
          assertEquals(after, before, way);
          assertStrictEquals(after.mappings, 0);
          assertStrictEquals(endings.length, 10);
          for (const ending of endings) assert(ENDS.includes(ending), `${way}: ${ending}`);
        }
      },
    });
  }

  Deno.test({
    name: `A worker on io_uring (${rung}) terminated 50 times under load leaves nothing open`,
    ignore,
    async fn() {
      const { before, after, exchanges } = await run(`
        let exchanges = 0;
        async function exchange(port) {
          let conn;
          try {
            conn = await Deno.connect({ hostname, port });
            for (;;) {
              await conn.write(new Uint8Array(100));
              if (await conn.read(new Uint8Array(100)) === null) return;
              exchanges++;
            }
          } catch {
            // Reset, or refused.
          } finally {
            conn?.close();
          }
        }
        let [port, before] = [0, undefined];
        for (let round = 0; round <= 50; round++) {
          const worker = open(${urlOf("ending_worker.ts")});
          port = await ask(worker, { port, rung: "${rung}", idle: "cooperate", path, accept: true });
          const clients = Array.from({ length: 8 }, () => exchange(port));
          await sleep(round % 10);
          for (let late = 0; late < 4; late++) clients.push(exchange(port));
          worker.terminate();
          await Promise.all(clients);
          if (round === 0) {
            await bindAlone(port);
            await sleep(200);
            before = owned();
          }
        }
        await bindAlone(port);
        console.log(JSON.stringify({ before, after: await settled(before), exchanges }));
      `) as { before: unknown; after: unknown; exchanges: number };
      assertEquals(after, before);
      assert(exchanges > 0);
    },
  });

  Deno.test({
    name: `A worker on io_uring (${rung}) that did not accept lets go of its clients when it is terminated`,
    ignore,
    async fn() {
      const ends = await run(`
        const worker = open(${urlOf("ending_worker.ts")});
        const port = await ask(worker, { port: 0, rung: "${rung}", idle: "cooperate", path, accept: false });
        const conns = await Promise.all(Array.from({ length: 5 }, () => Deno.connect({ hostname, port })));
        worker.terminate();
        const ends = await Promise.all(conns.map(endOf));
        await bindAlone(port);
        console.log(JSON.stringify(ends));
      `) as string[];
      assertStrictEquals(ends.length, 5);
      for (const end of ends) assert(ENDS.includes(end), end);
    },
  });

  const deferTaskrun = rung === "full";
  const abandoning = (abandoned: string, count: number) => `
    const worker = open(${urlOf("abandoning_worker.ts")});
    const [port] = await ask(worker, { abandoned: "${abandoned}", deferTaskrun: ${deferTaskrun}, count: ${count} });
    const conns = await Promise.all(Array.from({ length: ${count} }, () => Deno.connect({ hostname, port })));
    const said = await ask(worker, {});
  `;

  Deno.test({
    name: `Uring (${rung}) of an ended thread closes connections that nobody has taken out of it`,
    ignore,
    async fn() {
      const ends = await run(`
        ${abandoning("accepted", 20)}
        worker.terminate();
        console.log(JSON.stringify(await Promise.all(conns.map(endOf))));
      `) as string[];
      assertStrictEquals(ends.length, 20);
      for (const end of ends) assert(ENDS.includes(end), end);
    },
  });

  Deno.test({
    name: `Uring (${rung}) of an ended thread closes what it was asked to close and did not`,
    ignore,
    async fn() {
      const { pending, end } = await run(`
        ${abandoning("closing", 1)}
        worker.terminate();
        console.log(JSON.stringify({ pending: said[0], end: await endOf(conns[0]) }));
      `) as { pending: number; end: string };
      assertStrictEquals(pending, 1);
      assert(ENDS.includes(end), end);
    },
  });

  Deno.test({
    name: `Uring (${rung}) of an ended thread leaves alone what has the number of a descriptor it closed`,
    ignore,
    async fn() {
      const { numbers, ours, stillOpen } = await run(`
        import { closeDescriptor, localAddress, socketPair } from ${urlOf("../../../../ffi/mod.ts")};
        ${abandoning("closed", 1)}
        const ours = Array.from({ length: 100 }, () => socketPair()).flat();
        worker.terminate();
        // The worker has closed its listener by then, and the rest with it.
        await endOf(conns[0]);
        await bindAlone(port);
        await sleep(100);
        const isOpen = (fd) => { try { localAddress(fd); return true; } catch { return false; } };
        const stillOpen = said.map(isOpen);
        for (const fd of ours) closeDescriptor(fd);
        console.log(JSON.stringify({ numbers: said, ours, stillOpen }));
      `) as { numbers: number[]; ours: number[]; stillOpen: boolean[] };
      // The runtime may have been given some of them first.
      const again = numbers.map((number, index) => ({
        byRing: index % 2 === 0,
        number,
        open: stillOpen[index],
      }))
        .filter(({ number }) => ours.includes(number));
      for (const kind of [true, false]) {
        const ofKind = again.filter(({ byRing }) => byRing === kind);
        assert(ofKind.length > 0, "no number was given again");
        for (const { number, open } of ofKind) assertStrictEquals(open, true, `${number} was closed`);
      }
    },
  });
}
