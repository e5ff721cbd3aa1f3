import { monotonicNs, nativeStatus } from "../../../ffi/mod.ts";
import { type Clock, systemClock } from "../../base/mod.ts";

const NS_PER_MS = 1e6;

/** CLOCK_MONOTONIC through the native library: 20 times cheaper than `performance.now()`. */
const nativeClock: Clock = { nowMs: () => monotonicNs() / NS_PER_MS };

/** The cheapest monotonic clock available. */
export function hostClock(): Clock {
  return nativeStatus().available ? nativeClock : systemClock;
}
