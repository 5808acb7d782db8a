/** Formats cells and times as text. */

const GAP = '  ';

/** Each column is as wide as its longest cell; lines have no trailing spaces. */
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

/** Shortens a line to the width of the terminal: a wrapped line would make the next redraw miscount the lines. */
export const truncate = (line: string, width: number): string =>
  line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;

/** For example `0.4 s` or `12.0 s`; an empty cell for an unknown time. */
export const seconds = (ms: number | undefined): string => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`);
