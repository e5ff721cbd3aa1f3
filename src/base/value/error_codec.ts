import { inspect } from "node:util";
import { asArriving } from "./value_codec.ts";

/** An error on its way between two cores. */
export interface PortableError {
  /** The nearest of its classes that both sides know; see {@linkcode ErrorClasses}. */
  readonly className: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** What else it carries: `code`, `errors` and the like. What cannot travel is left out. */
  readonly properties:
    readonly (readonly [name: string, value: PortableThrown | readonly PortableThrown[]])[];
  readonly cause: PortableThrown | undefined;
}

/** Something else than an error. */
export interface PortableValue {
  readonly value: unknown;
}

/** What was thrown, on its way. */
export type PortableThrown = PortableError | PortableValue;

/** Which classes of errors both sides know, by name. */
export interface ErrorClasses {
  /** The name under which the other side knows the class with this prototype. */
  nameOf(prototype: object): string | undefined;
  /** The prototype of a class. */
  prototypeOf(className: string): object | undefined;
}

/** Causes of causes that travel. */
const DEPTH_MAX = 8;
/** Errors that travel with one, as causes or in `errors`. */
const ERRORS_MAX = 100;
const WITHOUT_MESSAGE = "an error that could not be read";
/** Those that have a place of their own. */
const PLACED = new Set(["name", "message", "stack", "cause"]);

/** What of `thrown` can travel. Does not throw, whatever was thrown. */
export function toPortable(thrown: unknown, classes: ErrorClasses): PortableThrown {
  try {
    return encode(thrown, { classes, left: ERRORS_MAX }, 0);
  } catch {
    // A getter, a proxy or a toString() of the task's own threw.
    return {
      className: "Error",
      name: "Error",
      message: WITHOUT_MESSAGE,
      stack: undefined,
      properties: [],
      cause: undefined,
    };
  }
}

interface Encoding {
  readonly classes: ErrorClasses;
  /** Errors that may still be added. */
  left: number;
}

function encode(thrown: unknown, encoding: Encoding, depth: number): PortableThrown {
  if (!(thrown instanceof Error)) return asArriving(thrown) ?? { value: inspect(thrown) };
  const { cause } = thrown;
  const hasCause = cause !== undefined && depth < DEPTH_MAX && encoding.left-- > 0;
  return {
    className: classNameOf(thrown, encoding.classes),
    name: String(thrown.name),
    message: String(thrown.message),
    stack: typeof thrown.stack === "string" ? thrown.stack : undefined,
    properties: propertiesOf(thrown, encoding, depth),
    cause: hasCause ? encode(cause, encoding, depth + 1) : undefined,
  };
}

function classNameOf(error: Error, classes: ErrorClasses): string {
  let prototype: object | null = Object.getPrototypeOf(error);
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const name = classes.nameOf(prototype);
    if (name !== undefined) return name;
  }
  return "Error";
}

function propertiesOf(error: Error, encoding: Encoding, depth: number): PortableError["properties"] {
  const properties: [string, PortableThrown | PortableThrown[]][] = [];
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (PLACED.has(name) || !("value" in descriptor)) continue;
    const { value } = descriptor;
    if (value instanceof Error) {
      if (depth < DEPTH_MAX && encoding.left-- > 0) {
        properties.push([name, encode(value, encoding, depth + 1)]);
      }
    } else if (Array.isArray(value) && value.some((entry) => entry instanceof Error)) {
      if (depth >= DEPTH_MAX) continue;
      const entries = value.slice(0, Math.max(0, encoding.left));
      encoding.left -= entries.length;
      properties.push([name, entries.map((entry) => encode(entry, encoding, depth + 1))]);
    } else {
      const arriving = asArriving(value);
      if (arriving !== undefined) properties.push([name, arriving]);
    }
  }
  return properties;
}

/** What was thrown, again: an error of the same class where this side knows it. */
export function fromPortable(portable: PortableThrown, classes: ErrorClasses): unknown {
  if ("value" in portable) return portable.value;
  const { name, stack, properties, cause } = portable;
  const error = make(portable, classes);
  if (cause !== undefined) define(error, "cause", fromPortable(cause, classes), false);
  for (const [key, value] of properties) {
    const entry = isList(value)
      ? value.map((thrown) => fromPortable(thrown, classes))
      : fromPortable(value, classes);
    define(error, key, entry, true);
  }
  if (error.name !== name) define(error, "name", name, false);
  if (stack !== undefined) define(error, "stack", stack, false);
  return error;
}

function make({ className, name, message }: PortableError, classes: ErrorClasses): Error {
  // Its name and message are behind accessors, which want an exception that was made as one.
  if (className === "DOMException") return new DOMException(message, name);
  const error = new Error(message);
  const prototype = classes.prototypeOf(className);
  if (prototype !== undefined) Object.setPrototypeOf(error, prototype);
  return error;
}

function isList(value: PortableThrown | readonly PortableThrown[]): value is readonly PortableThrown[] {
  return Array.isArray(value);
}

function define(error: Error, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, name, { value, enumerable, writable: true, configurable: true });
}
