import { assertEquals } from "@std/assert";

const URL_OF_IT = new URL("../../../src/run/tasks/inherited_permissions.ts", import.meta.url).href;

async function inheritedBy(flags: string[]): Promise<string[]> {
  const program = `import { inheritedPermissions } from ${JSON.stringify(URL_OF_IT)};
    console.log(JSON.stringify(inheritedPermissions()));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      ...flags,
      `data:application/typescript,${encodeURIComponent(program)}`,
    ],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("inheritedPermissions() names what a process may as a whole, and nothing else", async () => {
  const root = new URL("../../../", import.meta.url).pathname;
  assertEquals(await inheritedBy([`--allow-read=${root}`, "--allow-net", "--allow-env=HOME"]), [
    "--allow-net",
  ]);
  const all = ["read", "write", "net", "env", "run", "ffi", "sys", "import"].map((name) => `--allow-${name}`);
  assertEquals(await inheritedBy(["-A"]), all);
});
