/** Rows of words → lines of text in columns. */

const GAP = '  ';

/** Columns as wide as their longest cell; no spaces at the ends of lines. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(0, ...rows.map(row => row.length));
  const widths = Array.from({ length: count }, (_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
  return rows.map(row =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join(GAP)
      .trimEnd(),
  );
}

/** A line must not be longer than the terminal is wide, else redrawing would miscount the lines. */
export const cut = (line: string, width: number): string =>
  line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;

/** `0.4 s`, `12.0 s`; nothing for a time that is not known. */
export const seconds = (ms: number | undefined): string => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`);
