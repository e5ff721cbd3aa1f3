/** What {@linkcode blank} takes out of a source text. */
export interface BlankOptions {
  /**
   * Also takes out what stands between the quotes of strings and in the text of templates.
   * @default false
   */
  readonly strings?: boolean;
}

const WORD_BEFORE_EXPRESSION = /\b(?:return|typeof|case|in|of|void|await|yield|delete|throw|do|else)$/;

/**
 * The same TypeScript with comments replaced by spaces, so that what is found in it is code and its position
 * is still right. A scanner, not a parser: a regular expression literal is told from a division by what
 * stands before it.
 */
export function blank(source: string, options: BlankOptions = {}): string {
  return new Scanner(source, options.strings ?? false).run();
}

/** The line, counted from 1, of a position in a text. */
export function lineOf(source: string, position: number): number {
  return source.slice(0, position).split("\n").length;
}

class Scanner {
  readonly #source: string;
  readonly #blankStrings: boolean;
  #position = 0;
  #output = "";
  /** One entry per template literal that is open around the current position: braces open inside its `${`. */
  readonly #templates: number[] = [];

  constructor(source: string, blankStrings: boolean) {
    this.#source = source;
    this.#blankStrings = blankStrings;
  }

  run(): string {
    while (this.#position < this.#source.length) this.#step();
    return this.#output;
  }

  #step(): void {
    const source = this.#source;
    const character = source[this.#position];
    if (source.startsWith("//", this.#position)) this.#takeBlank(this.#end("\n", 0), /[^\n]/g);
    else if (source.startsWith("/*", this.#position)) this.#takeBlank(this.#end("*/", 2), /[^\n]/g);
    else if (character === '"' || character === "'") this.#takeString(this.#quoteEnd(character));
    else if (character === "`") this.#template();
    else if (character === "/" && this.#expressionMayStart()) this.#takeString(this.#expressionEnd());
    else if (character === "{" || character === "}") this.#brace(character);
    else this.#take(this.#position + 1);
  }

  #brace(character: "{" | "}"): void {
    const innermost = this.#templates.length - 1;
    if (innermost >= 0) {
      if (character === "}" && this.#templates[innermost] === 0) {
        this.#templates.pop();
        return this.#template();
      }
      this.#templates[innermost] += character === "{" ? 1 : -1;
    }
    this.#take(this.#position + 1);
  }

  /** Takes a template's text from its opening quote, or from the brace that closes a `${`. */
  #template(): void {
    let end = this.#position + 1;
    while (end < this.#source.length && this.#source[end] !== "`") {
      if (this.#source.startsWith("${", end)) {
        this.#templates.push(0);
        this.#takeString(end);
        return this.#take(end + 2);
      }
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    this.#takeString(end + 1);
  }

  #take(end: number): void {
    this.#output += this.#source.slice(this.#position, end);
    this.#position = end;
  }

  #takeBlank(end: number, blanked: RegExp): void {
    this.#output += this.#source.slice(this.#position, end).replace(blanked, " ");
    this.#position = end;
  }

  #takeString(end: number): void {
    if (!this.#blankStrings) return this.#take(end);
    // The quotes stay: what stands before a slash decides what the slash is.
    this.#takeBlank(end, /[^\n"'`}]/g);
  }

  #end(mark: string, width: number): number {
    const index = this.#source.indexOf(mark, this.#position + width);
    return index < 0 ? this.#source.length : index + width;
  }

  #quoteEnd(quote: string): number {
    let end = this.#position + 1;
    while (end < this.#source.length && this.#source[end] !== quote && this.#source[end] !== "\n") {
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    return end + 1;
  }

  /** Whether a slash here starts a regular expression: it does not after a value. */
  #expressionMayStart(): boolean {
    const before = this.#output.trimEnd();
    return before === "" || !/[\w$)\]}"'`]$/.test(before) || WORD_BEFORE_EXPRESSION.test(before);
  }

  #expressionEnd(): number {
    let inClass = false;
    let end = this.#position + 1;
    for (; end < this.#source.length && this.#source[end] !== "\n"; end++) {
      const character = this.#source[end];
      if (character === "\\") end++;
      else if (character === "[") inClass = true;
      else if (character === "]") inClass = false;
      else if (character === "/" && !inClass) return end + 1;
    }
    return end;
  }
}
