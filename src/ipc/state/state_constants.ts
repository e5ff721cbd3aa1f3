import type { StateConstants } from "./layout.ts";
import { STATE_DEFAULTS, type StateCreateOptions } from "./state_options.ts";

/** The constants of a state that is made with such options. */
export function stateConstantsOf(options: StateCreateOptions): StateConstants {
  return {
    capacity: options.capacity ?? STATE_DEFAULTS.capacity,
    keyBytesMax: options.keyBytesMax ?? STATE_DEFAULTS.keyBytesMax,
    valueBytesMax: options.valueBytesMax ?? STATE_DEFAULTS.valueBytesMax,
    writersMax: options.writersMax ?? STATE_DEFAULTS.writersMax,
    checksums: Number(options.directory !== undefined),
    seed: crypto.getRandomValues(new Int32Array(1))[0],
  };
}
