import { closeDescriptor, createEventDescriptor, nativeStatus } from "../../../ffi/mod.ts";
import { BELL, BELL_WORDS, type MeshMemory } from "./mesh.ts";

/** Milliseconds for which a worker that was ended in the middle of its work may still signal a descriptor. */
const LINGER_MS = 2000;

/** The eventfds by which cores that wait in the kernel are woken, one each; none without the native library. */
export class EventDescriptors {
  readonly #descriptors: number[] = [];

  /**
   * Opens `count` of them.
   *
   * @throws when the system has no more, with nothing left open
   */
  constructor(count: number) {
    if (count === 0 || !nativeStatus().available) return;
    try {
      for (let index = 0; index < count; index++) this.#descriptors.push(createEventDescriptor());
    } catch (error) {
      this.#closeAll();
      throw error;
    }
  }

  /** That of core `index`. */
  at(index: number): number | undefined {
    return this.#descriptors[index];
  }

  /**
   * Closes them. When workers were ended in the middle of something, only after a while: one that is about to signal a descriptor
   * would otherwise write to whatever has been given its number.
   */
  close({ bells }: MeshMemory, orderly: boolean): void {
    if (orderly) {
      this.#closeAll();
      return;
    }
    if (this.#descriptors.length === 0) return;
    const words = new Int32Array(bells);
    this.#descriptors.forEach((_, core) => Atomics.store(words, core * BELL_WORDS + BELL.wakes, 0));
    Deno.unrefTimer(setTimeout(() => this.#closeAll(), LINGER_MS));
  }

  #closeAll(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeDescriptor(descriptor);
  }
}
