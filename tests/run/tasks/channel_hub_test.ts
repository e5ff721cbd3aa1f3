import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { supervise } from "../../../src/run/process/mod.ts";
import {
  CHANNEL_VARIABLE,
  ChannelHub,
  openChannel,
  type ProcessChannel,
} from "../../../src/run/tasks/mod.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const WORKER = new URL("./channel_worker.ts", import.meta.url).href;
const LIMIT_MS = 60_000;

function hubTest(name: string, body: (hub: ChannelHub) => Promise<void>): void {
  Deno.test(name, () =>
    withWatchdog(LIMIT_MS, async () => {
      await using hub = await ChannelHub.open();
      await body(hub);
    }));
}

function workers(instances: number, env: Readonly<Record<string, string>>) {
  return supervise([{
    name: "echo",
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", WORKER],
    env,
    instances,
    restart: { policy: "never" },
  }]);
}

async function firstOf(hub: ChannelHub): Promise<ProcessChannel> {
  for await (const channel of hub) return channel;
  throw new Error("the hub is closed");
}

hubTest("ChannelHub gives a channel to each process that is started with its variables", async (hub) => {
  await using supervisor = await workers(3, hub.env);
  const channels: ProcessChannel[] = [];
  for await (const channel of hub) {
    channels.push(channel);
    if (channels.length === 3) break;
  }
  assertEquals(channels.map(({ peer }) => `${peer.name}/${peer.instance}`).sort(), [
    "echo/0",
    "echo/1",
    "echo/2",
  ]);
  for (const channel of channels) {
    const large = new Uint8Array(1_000_000).fill(3);
    channel.post({ text: "hello" });
    channel.post(large);
    const messages = channel[Symbol.asyncIterator]();
    assertEquals((await messages.next()).value, { text: "hello" });
    assertEquals((await messages.next()).value, large);
    assertStrictEquals(await channel.call<{ pid(): number }, "pid">("pid", []), channel.peer.pid);
    assertStrictEquals(
      await channel.call<{ again(): boolean }, "again">("again", []),
      true,
      "a channel is opened once",
    );
    channel.post("end");
    await channel.closed;
  }
  await supervisor.finished;
});

hubTest("ChannelHub: the channel of a process that is killed ends, with the calls that wait", async (hub) => {
  await using _supervisor = await workers(1, hub.env);
  const channel = await firstOf(hub);
  await channel.call<{ pid(): number }, "pid">("pid", []);
  Deno.kill(channel.peer.pid, "SIGSTOP");
  const call = assertRejectsMatching(() => channel.call<{ pid(): number }, "pid">("pid", []), {
    name: "ProcessEndedError",
  });
  Deno.kill(channel.peer.pid, "SIGKILL");
  await call;
  await channel.closed;
});

hubTest("ChannelHub passes over who has not its token, and who says nothing that it knows", async (hub) => {
  const target = hub.env[CHANNEL_VARIABLE];
  const path = target.slice(0, target.lastIndexOf("#"));
  const says = [
    `{"token":"wrong","instance":0,"pid":1,"shares":true}\n`,
    `{"token":"${target.slice(target.lastIndexOf("#") + 1)}","instance":"x"}\n`,
    "GET / HTTP/1.1\r\n\r\n",
    `${"x".repeat(10_000)}`,
    "null\n",
  ];
  for (const text of says) {
    const conn = await Deno.connect({ transport: "unix", path });
    await conn.write(new TextEncoder().encode(text)).catch(() => {});
    // Closed, with nothing said; or reset, where something was left unread.
    const count = await conn.read(new Uint8Array(100)).catch(() => null);
    assertStrictEquals(count, null, text.slice(0, 40));
    conn.close();
  }
  await using _supervisor = await workers(1, hub.env);
  const channel = await firstOf(hub);
  assertStrictEquals(channel.peer.name, "echo");
});

Deno.test("ChannelHub.close() leaves nothing behind, and ends whoever waits for channels", () =>
  withWatchdog(LIMIT_MS, async () => {
    const hub = await ChannelHub.open();
    const target = hub.env[CHANNEL_VARIABLE];
    const directory = target.slice(0, target.lastIndexOf("/"));
    assertStrictEquals(((await Deno.stat(directory)).mode ?? 0o777) & 0o077, 0, "nobody else may look");
    const channels: unknown[] = [];
    const reading = (async () => {
      for await (const channel of hub) channels.push(channel);
    })();
    await hub.close();
    await hub.close();
    await reading;
    assertEquals(channels, []);
    await assertRejects(() => Deno.stat(directory), Deno.errors.NotFound);
  }));

Deno.test("ChannelHub.open() takes away what a hub that was killed has left, and nothing else", () =>
  withWatchdog(LIMIT_MS, async () => {
    const directoryOf = (hub: ChannelHub) => {
      const target = hub.env[CHANNEL_VARIABLE];
      return target.slice(0, target.lastIndexOf("/"));
    };
    await using living = await ChannelHub.open();
    const left = `${directoryOf(living)}-left`;
    const young = `${directoryOf(living)}-young`;
    for (const directory of [left, young]) {
      await Deno.mkdir(directory);
      using _listener = Deno.listen({ transport: "unix", path: `${directory}/first` });
      // Under its second name it stays when nobody listens any more.
      await Deno.link(`${directory}/first`, `${directory}/channel.sock`);
    }
    const long = new Date(Date.now() - 3_600_000);
    for (const directory of [left, directoryOf(living)]) await Deno.utime(directory, long, long);
    await using _hub = await ChannelHub.open();
    await assertRejects(() => Deno.stat(left), Deno.errors.NotFound);
    assert((await Deno.stat(directoryOf(living))).isDirectory);
    assert((await Deno.stat(`${young}/channel.sock`)).isSocket);
    await Deno.remove(young, { recursive: true });
  }));

hubTest(
  "ChannelHub lets processes wait that are too many at once, and ends with some that say nothing",
  async (hub) => {
    const target = hub.env[CHANNEL_VARIABLE];
    const mark = target.lastIndexOf("#");
    const connect = () => Deno.connect({ transport: "unix", path: target.slice(0, mark) });
    const silent: Deno.Conn[] = [];
    for (let count = 0; count < 256; count++) silent.push(await connect());
    const late = await connect();
    const hello = { token: target.slice(mark + 1), instance: 0, pid: 1, shares: false };
    await late.write(new TextEncoder().encode(`${JSON.stringify(hello)}\n`));
    silent.pop()?.close();
    // It was not turned away.
    assertStrictEquals((await firstOf(hub)).peer.pid, 1);
    late.close();
    await hub.close();
    for (const conn of silent) {
      assertStrictEquals(await conn.read(new Uint8Array(1)).catch(() => null), null);
      conn.close();
    }
  },
);

Deno.test("openChannel() says whether there is one", async () => {
  assertStrictEquals(await openChannel(), undefined);
  Deno.env.set(CHANNEL_VARIABLE, "/nowhere/channel.sock#token");
  await assertRejects(() => openChannel(), Deno.errors.NotFound);
  assertStrictEquals(Deno.env.get(CHANNEL_VARIABLE), undefined);
});
