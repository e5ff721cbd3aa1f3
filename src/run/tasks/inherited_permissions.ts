/** Kinds of permissions, as flags of `deno run` have them. */
const KINDS = ["read", "write", "net", "env", "run", "ffi", "sys", "import"] as const;

/** The flags of `deno run` for what this process may do as a whole; what it may do in part is left out. */
export function inheritedPermissions(): string[] {
  return KINDS.filter((name) =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state === "granted"
  )
    .map((name) => `--allow-${name}`);
}
