/** Descriptors that the native library closes when this thread ends, however it ends. */
import { check } from "./errno.ts";
import { native } from "./library.ts";

let marks: Uint8Array<ArrayBuffer> | undefined;

/**
 * One byte per descriptor of the process, 1 while this thread owns it and has to close it; see `native/src/owned.rs`.
 *
 * Native calls keep the marks of descriptors that they make and close. Set the mark of one that came out of a ring; clear
 * it before the kernel can close it, because from then on the number may be another thread's. Writing beyond the end does
 * nothing: such descriptors are not tracked.
 */
export function ownedDescriptors(): Uint8Array<ArrayBuffer> {
  if (marks !== undefined) return marks;
  const out = new BigUint64Array(1);
  const length = check(native().millrace_owned_descriptors(out), "the table of owned descriptors");
  const pointer = Deno.UnsafePointer.create(out[0]);
  if (pointer === null) throw new Error("the table of owned descriptors: returned address 0");
  return marks = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
}
