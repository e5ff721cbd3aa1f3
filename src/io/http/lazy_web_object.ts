/**
 * Makes our light objects pass for Deno's: `instanceof` holds, and the state that Deno keeps under symbols (which
 * `new Request(input)`, `fetch(input)` and the like read) comes from the real object, made on first use.
 *
 * It names no symbol: all those that a sample has are passed on, so that another version of Deno may use others.
 */
export function standInFor<T extends object>(
  light: { prototype: object },
  base: { prototype: T },
  sample: T,
  real: (stand: object) => T,
): void {
  Object.setPrototypeOf(light.prototype, base.prototype);
  for (const symbol of symbolsOf(sample)) {
    Object.defineProperty(light.prototype, symbol, {
      configurable: true,
      get(this: object): unknown {
        return Reflect.get(real(this), symbol);
      },
      set(this: object, value: unknown): void {
        Reflect.set(real(this), symbol, value);
      },
    });
  }
}

/** Symbols of the object itself and of its prototypes below `Object`, except for the well-known ones. */
function symbolsOf(sample: object): Set<symbol> {
  const wellKnown = new Set<unknown>(
    Object.getOwnPropertyNames(Symbol).map((name) => Reflect.get(Symbol, name)),
  );
  const symbols = new Set<symbol>();
  for (
    let at: object | null = sample;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const symbol of Object.getOwnPropertySymbols(at)) if (!wellKnown.has(symbol)) symbols.add(symbol);
  }
  return symbols;
}
