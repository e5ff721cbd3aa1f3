/**
 * `set_timeout.mjs bulk|churn COUNT`: schedules and cancels timers of 1 to 1000 ms, on Deno, Node or Bun. None may fire.
 */
import process from "node:process";

const [workload, countText] = process.argv.slice(2);
const count = Number(countText);
let fired = 0;
const onTimer = () => fired++;

/** The delays that every timer contestant uses: spread over 1 to 1000 ms, the same in each run. */
function delayMs(index) {
  return 1 + (index * 7919) % 1000;
}

/** All of them pending at once, then all cancelled in the order they were made. */
function bulk() {
  const timers = new Array(count);
  for (let index = 0; index < count; index++) timers[index] = setTimeout(onTimer, delayMs(index));
  for (let index = 0; index < count; index++) clearTimeout(timers[index]);
}

/** Each cancelled as soon as it is pending, as a deadline around a call that succeeds. */
function churn() {
  for (let index = 0; index < count; index++) clearTimeout(setTimeout(onTimer, delayMs(index)));
}

if (workload === "bulk") bulk();
else churn();

process.on("exit", () => {
  if (fired > 0) process.exitCode = 1;
});
