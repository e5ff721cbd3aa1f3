/**
 * `millrace_timers.ts bulk|churn COUNT`: schedules and cancels timers of 1 to 1000 ms on a `TimerWheel`. None may fire.
 */
import { type Timer, TimerWheel } from "../../src/base/timer/mod.ts";

/** The delays that every timer contestant uses: spread over 1 to 1000 ms, the same in each run. */
function delayMs(index: number): number {
  return 1 + (index * 7919) % 1000;
}

/** All of them pending at once, then all cancelled in the order they were made. */
function bulk(wheel: TimerWheel, count: number, onTimer: () => void): void {
  const timers = new Array<Timer>(count);
  for (let index = 0; index < count; index++) timers[index] = wheel.schedule(delayMs(index), onTimer);
  for (let index = 0; index < count; index++) timers[index].cancel();
}

/** Each cancelled as soon as it is pending, as a deadline around a call that succeeds. */
function churn(wheel: TimerWheel, count: number, onTimer: () => void): void {
  for (let index = 0; index < count; index++) wheel.schedule(delayMs(index), onTimer).cancel();
}

const [workload, count] = Deno.args;
const wheel = new TimerWheel();
let fired = 0;
const run = workload === "bulk" ? bulk : churn;
run(wheel, Number(count), () => fired++);
wheel.advance();
if (fired > 0 || wheel.size > 0) Deno.exit(1);
