/** Marks stand in a manifest where a template shall stand: a document with them is still YAML and keeps its comments. */

/** Puts template text in the place of a whole line, by its key and its depth. */
type Line = (key: string, spaces: string) => string;

export class Placeholders {
  readonly #scalars = new Map<string, string>();
  readonly #lines = new Map<string, Line>();

  /** A value alone: `key: {{ expression }}`. */
  value(expression: string): string {
    return this.#mark(this.#scalars, `{{ ${expression} }}`);
  }

  /** A whole map or list: `key:` and what `expression` holds, one step deeper. */
  tree(expression: string): string {
    return this.#mark(
      this.#lines,
      (key, spaces) => `${spaces}${key}:\n${spaces}  {{- toYaml ${expression} | nindent ${spaces.length + 2} }}`,
    );
  }

  /** The same, left out where it is empty. */
  treeIfAny(expression: string): string {
    return this.#mark(
      this.#lines,
      (key, spaces) =>
        `${spaces}{{- with ${expression} }}\n${spaces}${key}:\n${spaces}  {{- toYaml . | nindent ${spaces.length + 2} }}\n${spaces}{{- end }}`,
    );
  }

  /** A value whose key is left out, too, where it is empty. */
  valueIfAny(condition: string, expression: string): string {
    return this.#mark(
      this.#lines,
      (key, spaces) => `${spaces}{{- with ${condition} }}\n${spaces}${key}: {{ ${expression} }}\n${spaces}{{- end }}`,
    );
  }

  /** Any lines in the place of an item of a list. */
  item(lines: (spaces: string) => string): string {
    return this.#mark(this.#lines, (_key, spaces) => lines(spaces));
  }

  #mark<T>(kind: Map<string, T>, content: T): string {
    const mark = `mark-${this.#scalars.size + this.#lines.size}-mark`;
    kind.set(mark, content);
    return mark;
  }

  /** The template. What looks like one in the manifest itself stays text. Throws where a mark found no place. */
  fill(text: string): string {
    const filled = text
      .replaceAll('{{', '{{ "{{" }}')
      .replace(/^( *)(- |[\w.]+: )(mark-\d+-mark)$/gm, (line, spaces: string, head: string, mark: string) => {
        const make = this.#lines.get(mark);
        return make === undefined ? line : make(head.replace(': ', ''), spaces);
      })
      .replace(/mark-\d+-mark/g, mark => this.#scalars.get(mark) ?? mark);
    const left = /.*mark-\d+-mark.*/.exec(filled);
    if (left !== null) throw new Error(`this line is no place for a template: ${left[0]}`);
    return filled;
  }
}
