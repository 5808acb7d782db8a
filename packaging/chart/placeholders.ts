/** Puts template expressions into a YAML document: placeholders are set as values first, so that the document stays valid and keeps its comments. */

/** Returns the template text that replaces a whole line, given the key and the indentation of that line. */
type LineTemplate = (key: string, spaces: string) => string;

export class Placeholders {
  readonly #scalars = new Map<string, string>();
  readonly #lines = new Map<string, LineTemplate>();

  /** A scalar value: `key: {{ expression }}`. */
  value(expression: string): string {
    return this.#placeholder(this.#scalars, `{{ ${expression} }}`);
  }

  /** A map or list: `key:` followed by the value of `expression`, indented by two more spaces. */
  tree(expression: string): string {
    return this.#placeholder(
      this.#lines,
      (key, spaces) => `${spaces}${key}:\n${spaces}  {{- toYaml ${expression} | nindent ${spaces.length + 2} }}`,
    );
  }

  /** A map or list that is left out together with its key when it is empty. */
  optionalTree(expression: string): string {
    return this.#placeholder(
      this.#lines,
      (key, spaces) =>
        `${spaces}{{- with ${expression} }}\n${spaces}${key}:\n${spaces}  {{- toYaml . | nindent ${spaces.length + 2} }}\n${spaces}{{- end }}`,
    );
  }

  /** A scalar value that is left out together with its key when `condition` is empty. */
  optionalValue(condition: string, expression: string): string {
    return this.#placeholder(
      this.#lines,
      (key, spaces) => `${spaces}{{- with ${condition} }}\n${spaces}${key}: {{ ${expression} }}\n${spaces}{{- end }}`,
    );
  }

  /** Template lines in place of a list item. */
  item(lines: (spaces: string) => string): string {
    return this.#placeholder(this.#lines, (_key, spaces) => lines(spaces));
  }

  #placeholder<T>(kind: Map<string, T>, content: T): string {
    const placeholder = `placeholder-${this.#scalars.size + this.#lines.size}-placeholder`;
    kind.set(placeholder, content);
    return placeholder;
  }

  /** Replaces the placeholders in the text of the document. Braces of the manifest itself are escaped. Throws when a placeholder cannot be replaced. */
  fill(text: string): string {
    const filled = text
      .replaceAll('{{', '{{ "{{" }}')
      .replace(
        /^( *)(- |[\w.]+: )(placeholder-\d+-placeholder)$/gm,
        (line, spaces: string, head: string, placeholder: string) => {
          const template = this.#lines.get(placeholder);
          return template === undefined ? line : template(head.replace(': ', ''), spaces);
        },
      )
      .replace(/placeholder-\d+-placeholder/g, placeholder => this.#scalars.get(placeholder) ?? placeholder);
    const unreplaced = /.*placeholder-\d+-placeholder.*/.exec(filled);
    if (unreplaced !== null) throw new Error(`this line cannot hold a template: ${unreplaced[0]}`);
    return filled;
  }
}
