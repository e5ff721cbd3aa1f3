/** A server that is started again by hand, with nothing but `Deno.Command`: `kills COUNT`. Prints one JSON object. `serve PORT`: the server. */
import { measureKills } from "./kills.mjs";

const [what, number] = [Deno.args[0], Number(Deno.args[1])];
if (what === "serve") {
  Deno.serve({ port: number, hostname: "127.0.0.1", onListen() {} }, () => new Response("Hello world!"));
} else await main(number);

async function main(count: number): Promise<void> {
  const probe = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = probe.addr;
  probe.close();
  const args = ["run", "-A", new URL(import.meta.url).pathname, "serve", String(port)];
  const start = (): Deno.ChildProcess => new Deno.Command(Deno.execPath(), { args }).spawn();
  let told = (): void => {};
  let isOver = false;
  let child = start();
  const keep = async (): Promise<void> => {
    for (;;) {
      await child.status;
      told();
      if (isOver) return;
      child = start();
    }
  };
  const kept = keep();
  const nextEnd = () => new Promise<void>((resolve) => told = resolve);
  const figures = await measureKills(count, port, () => child.pid, nextEnd);
  isOver = true;
  child.kill("SIGKILL");
  await kept;
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(figures)}\n`));
}
