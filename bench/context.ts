import type { Cores } from "./cores.ts";
import type { BenchOptions } from "./options.ts";

/** What every benchmark is given. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly cores: Cores;
  /** Says what runs now; never on standard output, which belongs to the results. */
  progress(line: string): void;
}
