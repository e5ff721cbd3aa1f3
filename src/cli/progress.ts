/** Milliseconds after which work is long enough for a progress line. */
export const PROGRESS_AFTER_MS = 1000;
/** Milliseconds between two such lines. */
export const PROGRESS_PERIOD_MS = 500;

/** Where progress is shown. */
export interface Screen {
  /** Without a terminal nothing is shown. */
  readonly isTerminal: boolean;
  write(text: string): void;
}

const CLEAR_LINE = "\r\x1b[K";

/** Shows the text of `describe()` in one line, rewritten again and again, until it is disposed. */
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
