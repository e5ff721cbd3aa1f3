/** A thread that starts a process, says its number, and then does nothing more. */
import { NativeChild } from "../../ffi/mod.ts";

const child = NativeChild.spawn({
  program: "/bin/sleep",
  args: ["sleep", "1000"],
  variables: [],
  clearEnvironment: false,
  directory: "",
  notifyPath: "",
  descriptors: [],
  setListenPid: false,
  pipes: true,
  control: true,
  survives: false,
  guardDescriptor: -1,
}, { onNotify() {}, onExit() {} });
self.postMessage(child.pid);
