/**
 * Values and errors as bytes, for those who are in another thread or process.
 *
 * @module
 */
export { KnownErrorClasses } from "./error_classes.ts";
export {
  type ErrorClasses,
  fromPortable,
  type PortableError,
  type PortableThrown,
  type PortableValue,
  toPortable,
} from "./error_codec.ts";
export { LOOK_COUNT_MAX } from "./refusal.ts";
export {
  asArriving,
  isPlain,
  KIND,
  portable,
  portableArgument,
  SIGNAL_PLACE,
  valueBytes,
  valueBytesMax,
  ValueReader,
  writeValue,
} from "./value_codec.ts";
