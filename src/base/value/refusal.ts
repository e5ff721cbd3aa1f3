/** Values that are looked at within one argument or result. */
export const LOOK_COUNT_MAX = 1000;

/** Classes of the global object whose instances V8 copies, of those that have a tag. */
const COPIED = new Set(["Map", "Set", "ArrayBuffer", "DataView", "BigInt", "DOMException"]);

/**
 * What of `value` would arrive as something else without a word: objects of the platform, which V8 takes for empty ones, and views
 * of shared memory, which it copies. Looks at {@linkcode LOOK_COUNT_MAX} values within it, the outer ones first.
 */
export function refusalOf(value: object): string | undefined {
  const refusal = refusalOfOne(value);
  if (refusal !== undefined) return refusal;
  let lookCount = 0;
  const objects = new Set([value]);
  // Those that are added meanwhile have their turn too.
  for (const object of objects) {
    for (const part of partsOf(object)) {
      if (++lookCount > LOOK_COUNT_MAX) return undefined;
      if (typeof part !== "object" || part === null || objects.has(part)) continue;
      const refusal = refusalOfOne(part);
      if (refusal !== undefined) return `something with ${refusal} in it`;
      objects.add(part);
    }
  }
  return undefined;
}

function refusalOfOne(value: object): string | undefined {
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    if (buffer instanceof ArrayBuffer) return refusalOfOne(buffer);
    return value instanceof Uint8Array ? undefined : "a view of shared memory";
  }
  if (value instanceof ArrayBuffer) return value.detached ? "memory that was transferred" : undefined;
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  if (typeof tag !== "string" || COPIED.has(tag)) return undefined;
  const platform: unknown = Reflect.get(globalThis, tag);
  if (typeof platform !== "function" || !(value instanceof platform)) return undefined;
  return `an object of class ${tag}`;
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value].flat();
  // Of an error only its own fields travel, and of bytes the bytes.
  if (value instanceof Error || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return [];
  return Object.values(value);
}
