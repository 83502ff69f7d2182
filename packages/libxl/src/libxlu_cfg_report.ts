/** Collects the error lines of one parse in libxlu's form: `<source>:<line>: config parsing error near <text>: <reason>`. */
export interface CfgReport {
  /** True once anything was wrong. */
  readonly failed: boolean;
  /** The lines so far, without line ends. */
  readonly lines: string[];
  /** A lexical error; errors that follow on the same line are not told. */
  lexical(line: number, text: string, reason: string): void;
  /** Something was met that an old Python config would have; told at the end, if anything was wrong. */
  python(): void;
  /** A grammar error near a token; `text` is "" at the end of the file. */
  syntax(line: number, text: string, reason: string): void;
}

/** An empty report. `source` names the file in each line. */
export function createCfgReport(source: string): CfgReport & { finish(): void } {
  const lines: string[] = [];
  let failed = false;
  let lexicalLine = -1;
  let isPython = false;

  function syntax(line: number, text: string, reason: string): void {
    failed = true;
    if (line <= lexicalLine) return;
    const bare = text.endsWith("\n") ? text.slice(0, -1) : text;
    // libxlu counts a line end as part of the line before; kept, since scripts match its output.
    const shown = bare === text ? line : line - 1;
    const near = bare === "" && bare !== text ? "<newline>" : `\`${asC(bare.replace(/[ \t]+$/, ""))}'`;
    lines.push(`${source}:${shown}: config parsing error near ${near}: ${reason}`);
  }

  return {
    lines,
    get failed(): boolean {
      return failed;
    },
    syntax,
    lexical(line, text, reason): void {
      syntax(line, text, reason);
      lexicalLine = line;
    },
    python(): void {
      isPython = true;
    },
    finish(): void {
      if (!isPython || !failed) return;
      lines.push(
        "warning: this config has Python syntax in it, as old tool stacks took.",
        "warning: xl.cfg has only assignments of strings, numbers and lists:",
        "warning: write values out, and quote negative numbers.",
      );
    },
  };
}

/** A text up to its first NUL, which is all that libxlu prints. */
function asC(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
