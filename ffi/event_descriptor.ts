/** Descriptors that one thread signals and another waits for (`eventfd`). */
import { check } from "./errno.ts";
import { native } from "./library.ts";

/** Makes an eventfd; it is closed with the calling thread at the latest. */
export function createEventDescriptor(): number {
  return check(native().millrace_eventfd(), "eventfd");
}

/** Signals an eventfd of this process, whichever thread made it. */
export function signalEventDescriptor(fd: number): void {
  check(native().millrace_eventfd_signal(fd), "signal an eventfd");
}
