import type { ErrorClasses } from "./error_codec.ts";

/** Names of the classes of errors that both sides know. */
export class KnownErrorClasses implements ErrorClasses {
  readonly #prototypes = new Map<string, object>();
  readonly #names = new Map<object, string>();

  /** The language's, Deno's, those of Millrace that a task is likely to meet, and those that a module exports. */
  constructor(millrace: Readonly<Record<string, unknown>>, exports: Readonly<Record<string, unknown>> = {}) {
    this.#add("", globalClasses());
    this.#add("Deno.errors.", Deno.errors);
    this.#add("millrace:", millrace);
    this.#add("module:", exports);
  }

  nameOf(prototype: object): string | undefined {
    return this.#names.get(prototype);
  }

  prototypeOf(className: string): object | undefined {
    return this.#prototypes.get(className);
  }

  #add(prefix: string, classes: Readonly<Record<string, unknown>>): void {
    for (const [name, found] of Object.entries(classes)) {
      if (typeof found !== "function") continue;
      const { prototype } = found;
      if (!(prototype instanceof Error) && prototype !== Error.prototype) continue;
      this.#prototypes.set(prefix + name, prototype);
      if (!this.#names.has(prototype)) this.#names.set(prototype, prefix + name);
    }
  }
}

function globalClasses(): Record<string, unknown> {
  const classes: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (name.endsWith("Error") || name === "DOMException") classes[name] = Reflect.get(globalThis, name);
  }
  return classes;
}
