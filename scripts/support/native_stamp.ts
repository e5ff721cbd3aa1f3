import { createHash } from "node:crypto";
import { join } from "node:path";
import { exists, listFiles } from "./project.ts";

/** Where the native crate keeps what the build reads and writes. */
export interface NativePaths {
  /** The crate's directory. */
  readonly directory: string;
  /** The library cargo makes. */
  readonly library: string;
  /** Says from which sources the library was made. */
  readonly stamp: string;
  /** Held while one process builds. */
  readonly lock: string;
}

/**
 * How a library stands to its sources: `fresh`, made from exactly these; `stale`, made from others, or
 * changed since; `missing`, never made.
 */
export type NativeState = "fresh" | "stale" | "missing";

interface Stamp {
  /** {@linkcode hashSources} before the build began. */
  readonly sources: string;
  /** SHA-256 of the library that the build left. */
  readonly library: string;
}

/** The paths of the crate `native/` of the project at `root`. */
export function nativePaths(root: string): NativePaths {
  const directory = join(root, "native");
  const target = join(directory, "target");
  return {
    directory,
    library: join(target, "release", "libmillrace.so"),
    stamp: join(target, "release", "libmillrace.stamp.json"),
    lock: join(target, "build_native.lock"),
  };
}

/**
 * SHA-256 over the names and bytes of everything the library is made from, and the machine it is made for.
 * Contents and not times, because a fresh clone gives every file the time of the clone.
 */
export async function hashSources(directory: string): Promise<string> {
  const hash = createHash("sha256").update(Deno.build.target);
  const files = await listFiles(directory, (folder) => /^(src|\.cargo)(\/|$)/.test(folder));
  for (const file of files.filter(isSource)) {
    const bytes = await Deno.readFile(join(directory, file));
    hash.update(`\0${file}\0${bytes.byteLength}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** Compares the library with its sources. */
export async function readNativeState(paths: NativePaths): Promise<NativeState> {
  if (!await exists(paths.library)) return "missing";
  const stamp = await readStamp(paths.stamp);
  if (stamp === undefined) return "stale";
  // The library too: `cargo build` by hand, with other features perhaps, replaces it without a stamp.
  const [sources, library] = await Promise.all([hashSources(paths.directory), hashFile(paths.library)]);
  return stamp.sources === sources && stamp.library === library ? "fresh" : "stale";
}

/**
 * Records that the library was made from the sources whose hash is `sources`. Take that hash before the
 * build: an edit made during it then leaves the library stale. Written whole or not at all.
 */
export async function writeStamp(paths: NativePaths, sources: string): Promise<void> {
  const stamp: Stamp = { sources, library: await hashFile(paths.library) };
  const temporary = `${paths.stamp}.${Deno.pid}`;
  await Deno.writeTextFile(temporary, `${JSON.stringify(stamp)}\n`);
  await Deno.rename(temporary, paths.stamp);
}

function isSource(file: string): boolean {
  return /^(src|\.cargo)\//.test(file) ||
    ["Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain", "rust-toolchain.toml"].includes(file);
}

async function readStamp(path: string): Promise<Stamp | undefined> {
  try {
    const stamp = JSON.parse(await Deno.readTextFile(path));
    return typeof stamp?.sources === "string" && typeof stamp.library === "string" ? stamp : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function hashFile(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}
