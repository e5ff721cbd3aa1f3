const PAGE_BYTES = 4096;

/** Bytes at positions up to 2^53, with memory only where something was written; the rest reads as zeros. */
export class SparseBytes {
  readonly #pages = new Map<number, Uint8Array>();
  #byteLength = 0;

  /** One more than the last position. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Fills as much of `into` as lies before the end; returns how many bytes. */
  read(position: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.byteLength, this.#byteLength - position));
    this.#forPages(position, length, (index, pageStart, start, end) => {
      const page = this.#pages.get(index);
      if (page === undefined) into.fill(0, start, end);
      else into.set(page.subarray(pageStart, pageStart + end - start), start);
    });
    return length;
  }

  /** Writes `from`, and moves the end where that reaches beyond it. */
  write(position: number, from: Uint8Array): void {
    this.#forPages(position, from.byteLength, (index, pageStart, start, end) => {
      let page = this.#pages.get(index);
      if (page === undefined) this.#pages.set(index, page = new Uint8Array(PAGE_BYTES));
      page.set(from.subarray(start, end), pageStart);
    });
    this.extend(position + from.byteLength);
  }

  /** Moves the end to `byteLength` if it is before that. */
  extend(byteLength: number): void {
    this.#byteLength = Math.max(this.#byteLength, byteLength);
  }

  /** Makes it empty. */
  clear(): void {
    this.#pages.clear();
    this.#byteLength = 0;
  }

  /** Makes it equal to `other`. */
  assign(other: SparseBytes): void {
    this.#pages.clear();
    for (const [index, page] of other.#pages) this.#pages.set(index, page.slice());
    this.#byteLength = other.#byteLength;
  }

  /** All of it, in one piece. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#byteLength);
    this.read(0, bytes);
    return bytes;
  }

  /** Walks the pages of a range: each with where it starts in the page, and the part of the range that it holds. */
  #forPages(
    position: number,
    byteLength: number,
    visit: (index: number, pageStart: number, start: number, end: number) => void,
  ): void {
    for (let start = 0; start < byteLength;) {
      const index = Math.floor((position + start) / PAGE_BYTES);
      const pageStart = position + start - index * PAGE_BYTES;
      const end = Math.min(byteLength, start + PAGE_BYTES - pageStart);
      visit(index, pageStart, start, end);
      start = end;
    }
  }
}
