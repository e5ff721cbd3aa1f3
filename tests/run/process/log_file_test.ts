import { assertEquals } from "@std/assert";
import { LogFile } from "../../../src/run/process/log_file.ts";
import { processTest } from "../../support/process_harness.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function contents(directory: string): Record<string, string> {
  const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readTextFileSync(`${directory}/${name}`)]));
}

processTest(
  "LogFile.write() rotates before a line that does not fit, and forgets the oldest file",
  async (t) => {
    const directory = `${t.directory}/made/for/it`;
    const file = new LogFile(`${directory}/a.log`, { bytesMax: 8, filesMax: 3 });
    await file.write(bytes("1234\n"));
    await file.write(bytes("56\n"));
    assertEquals(contents(directory), { "a.log": "1234\n56\n" });
    await file.write(bytes("7\n8\nabcdef\nxyz\n"));
    assertEquals(contents(directory), { "a.log": "xyz\n", "a.log.1": "abcdef\n", "a.log.2": "7\n8\n" });
    file.close();
  },
);

processTest(
  "LogFile.write() goes on with a file that is there, and has a line longer than a file alone",
  async (t) => {
    const path = `${t.directory}/a.log`;
    await Deno.writeTextFile(path, "old\n");
    const file = new LogFile(path, { bytesMax: 8, filesMax: 2 });
    await file.write(bytes("new\n"));
    await file.write(bytes("much too long\nz\n"));
    assertEquals(contents(t.directory), { "a.log": "z\n", "a.log.1": "much too long\n" });
    file.close();
  },
);

processTest("LogFile.write() with one file begins it anew", async (t) => {
  const file = new LogFile(`${t.directory}/a.log`, { bytesMax: 4, filesMax: 1 });
  await file.write(bytes("abc\ndef\n"));
  assertEquals(contents(t.directory), { "a.log": "def\n" });
  file.close();
});
