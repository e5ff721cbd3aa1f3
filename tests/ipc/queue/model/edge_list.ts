/** The edges of the state graph, nine bytes each. */
export class EdgeList {
  length = 0;
  #from = new Uint32Array(1 << 16);
  #to = new Uint32Array(1 << 16);
  #by = new Int8Array(1 << 16);
  #into: { readonly first: Uint32Array; readonly edges: Uint32Array } | undefined;

  /** `by` is the process that moves, -1 for what nobody can count on. */
  add(from: number, to: number, by: number): void {
    if (this.length === this.#from.length) {
      this.#from = grow(this.#from, new Uint32Array(2 * this.length));
      this.#to = grow(this.#to, new Uint32Array(2 * this.length));
      this.#by = grow(this.#by, new Int8Array(2 * this.length));
    }
    this.#from[this.length] = from;
    this.#to[this.length] = to;
    this.#by[this.length++] = by;
  }

  /** Marks with 1 the states from which a good one can be reached without a step of `paused`. */
  reaching(states: number, paused: number, isGood: (id: number) => boolean): Uint8Array {
    const { first, edges } = this.#into ??= this.#invert(states);
    const can = new Uint8Array(states), stack: number[] = [];
    for (let id = 0; id < states; id++) {
      if (!isGood(id)) continue;
      can[id] = 1;
      stack.push(id);
    }
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      for (let at = first[id]; at < first[id + 1]; at++) {
        const edge = edges[at], from = this.#from[edge];
        if (can[from] === 1 || this.#by[edge] === -1 || this.#by[edge] === paused) continue;
        can[from] = 1;
        stack.push(from);
      }
    }
    return can;
  }

  /** The edges into each state, one after the other. */
  #invert(states: number): { readonly first: Uint32Array; readonly edges: Uint32Array } {
    const first = new Uint32Array(states + 1), edges = new Uint32Array(this.length);
    for (let edge = 0; edge < this.length; edge++) first[this.#to[edge] + 1]++;
    for (let id = 0; id < states; id++) first[id + 1] += first[id];
    const place = first.slice();
    for (let edge = 0; edge < this.length; edge++) edges[place[this.#to[edge]]++] = edge;
    return { first, edges };
  }
}

function grow<T extends Uint32Array | Int8Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
