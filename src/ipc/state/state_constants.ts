import { SHARED_MEMORY_BYTES_MAX } from "../memory/mod.ts";
import {
  geometryOf,
  packConstants,
  STATE_CAPACITY_MAX,
  STATE_KEY_BYTES_MAX,
  STATE_PARTICIPANTS_MAX,
  STATE_VALUE_BYTES_MAX,
} from "./layout.ts";
import { checkCount } from "../sharing/mod.ts";
import { STATE_DEFAULTS, type StateCreateOptions } from "./state_options.ts";

/**
 * The constants of a state that is made with such options, as they are in its header.
 *
 * @throws {RangeError} when an option is out of range
 */
export function stateConstantsOf(options: StateCreateOptions): number[] {
  const { capacity, keyBytesMax, valueBytesMax, writersMax } = {
    capacity: options.capacity ?? STATE_DEFAULTS.capacity,
    keyBytesMax: options.keyBytesMax ?? STATE_DEFAULTS.keyBytesMax,
    valueBytesMax: options.valueBytesMax ?? STATE_DEFAULTS.valueBytesMax,
    writersMax: options.writersMax ?? STATE_DEFAULTS.writersMax,
  };
  checkCount("state", "capacity", capacity, 1, STATE_CAPACITY_MAX);
  checkCount("state", "keyBytesMax", keyBytesMax, 1, STATE_KEY_BYTES_MAX);
  checkCount("state", "valueBytesMax", valueBytesMax, 1, STATE_VALUE_BYTES_MAX);
  checkCount("state", "writersMax", writersMax, 1, STATE_PARTICIPANTS_MAX);
  const constants = {
    capacity,
    keyBytesMax,
    valueBytesMax,
    writersMax,
    checksums: options.directory !== undefined,
    seed: crypto.getRandomValues(new Int32Array(1))[0],
  };
  const { byteLength } = geometryOf(constants);
  if (byteLength <= SHARED_MEMORY_BYTES_MAX) return packConstants(constants);
  throw new RangeError(
    `create state: capacity ${capacity}, keyBytesMax ${keyBytesMax} and valueBytesMax ${valueBytesMax} take ` +
      `${byteLength} bytes, expected at most ${SHARED_MEMORY_BYTES_MAX}`,
  );
}
