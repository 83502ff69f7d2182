const LETTERS: Readonly<Record<string, string>> = { "\t": "t", "\n": "n", "\r": "r", "\\": "\\" };
const CHARACTERS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", "\\": "\\" };

/** A value (one character a byte) in printable ASCII: the others as \t, \n, \r, \\, \ooo (below 8) or \xhh. */
export function sanitise(value: string): string {
  return value.replace(/[^ -[\]-~]/g, (character) => {
    const letter = LETTERS[character];
    const code = character.charCodeAt(0);
    return `\\${letter ?? (code < 8 ? code.toString(8).padStart(3, "0") : `x${code.toString(16).padStart(2, "0")}`)}`;
  });
}

/** The value that a text in that form stands for. A backslash before anything else stands for what follows it; alone at the end, for a NUL. */
export function unsanitise(text: string): string {
  return text.replace(/\\(x[\da-f]{1,2}|[0-7]{1,3}|[^]|$)/gi, (_, escape: string) => {
    if (escape === "") return "\0";
    if (/^x./i.test(escape) && escape.startsWith("x")) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 0xff);
    return CHARACTERS[escape] ?? escape;
  });
}
