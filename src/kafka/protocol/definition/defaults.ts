import type { Field, Fields } from "./fields.ts";

/**
 * Makes what gives the default of `field`: a new array or part each time, since messages are their owners'.
 */
export function makeDefault(field: Field): () => unknown {
  const value = field.default;
  if (value !== undefined) return () => value;
  if (field.type.kind === "array") return () => [];
  if (field.type.kind === "struct") {
    const defaults = Object.entries(field.type.fields).map(([name, part]) =>
      [name, makeDefault(part)] as const
    );
    return () => Object.fromEntries(defaults.map(([name, make]) => [name, make()]));
  }
  throw new TypeError(`Kafka field: a ${field.type.kind} without a default, expected one`);
}

/** Makes what tells whether a value of `field` is its default: such a tagged field is not written. */
export function compileIsDefault(field: Field): (value: unknown) => boolean {
  if (field.default === null) return (value) => value === null || value === undefined;
  switch (field.type.kind) {
    case "array":
      return (value) => value === undefined || (value !== null && (value as readonly unknown[]).length === 0);
    case "bytes":
    case "records":
      return (value) => value === undefined || (value !== null && (value as Uint8Array).length === 0);
    case "struct":
      return compileIsDefaultStruct(field.type.fields);
    default: {
      const expected = field.default;
      return (value) => value === undefined || value === expected;
    }
  }
}

function compileIsDefaultStruct(fields: Fields): (value: unknown) => boolean {
  const checks = Object.entries(fields).map(([name, field]) => [name, compileIsDefault(field)] as const);
  return (value) => {
    if (value === undefined) return true;
    if (value === null) return false;
    return checks.every(([name, isDefault]) => isDefault((value as Record<string, unknown>)[name]));
  };
}
