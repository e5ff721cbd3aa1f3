/** Milliseconds after which work is long enough for a line that says how far it is. */
export const PROGRESS_AFTER_MS = 1000;
/** Milliseconds between two such lines. */
export const PROGRESS_PERIOD_MS = 500;

/** What progress is shown on. */
export interface Screen {
  /** Nothing is shown where nobody looks. */
  readonly isTerminal: boolean;
  write(text: string): void;
}

const CLEAR_LINE = "\r\x1b[K";

/** Shows what `describe()` gives, in one line that is written over and over, until it is disposed. */
export function startProgress(screen: Screen, describe: () => string): Disposable {
  if (!screen.isTerminal) return { [Symbol.dispose]() {} };
  let shown = false;
  let timer = setTimeout(show, PROGRESS_AFTER_MS);
  function show(): void {
    screen.write(`${CLEAR_LINE}${describe()}`);
    shown = true;
    timer = setTimeout(show, PROGRESS_PERIOD_MS);
  }
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      if (shown) screen.write(CLEAR_LINE);
    },
  };
}
