import { assertEquals } from "@std/assert";
import { PROGRESS_AFTER_MS, startProgress } from "../../src/cli/progress.ts";

Deno.test("startProgress() shows a line after a while, writes it over, and takes it away", async () => {
  const written: string[] = [];
  const screen = { isTerminal: true, write: (text: string) => void written.push(text) };
  let count = 0;
  {
    using _ = startProgress(screen, () => `${++count} done`);
    assertEquals(written, []);
    while (written.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(written, ["\r\x1b[K1 done", "\r\x1b[K2 done", "\r\x1b[K"]);
});

Deno.test("startProgress() shows nothing for short work, and nothing where nobody looks", async () => {
  const written: string[] = [];
  const write = (text: string): void => void written.push(text);
  startProgress({ isTerminal: true, write }, () => "short")[Symbol.dispose]();
  using _ = startProgress({ isTerminal: false, write }, () => "unseen");
  await new Promise((resolve) => setTimeout(resolve, PROGRESS_AFTER_MS + 50));
  assertEquals(written, []);
});
