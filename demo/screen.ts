/** The two ways to show progress: a table updated in place on a terminal, or one line per change for pipes and log files. */
import { changes, type Snapshot, snapshotLines } from './snapshot.js';
import { truncate } from './table.js';

export interface Screen {
  show(snapshot: Snapshot, now: Date): void;
}

/** The part of `process.stdout` that is used here. */
export interface TerminalOutput {
  write(text: string): unknown;
  columns?: number;
}

/** Moves the cursor up over the previous frame, clears it and draws the new one. An unchanged frame is not drawn again. */
export function liveScreen(terminal: TerminalOutput): Screen {
  let drawn: readonly string[] = [];
  return {
    show(snapshot, now) {
      const lines = snapshotLines(snapshot, now).map(line => truncate(line, terminal.columns ?? 120));
      if (lines.join('\n') === drawn.join('\n')) return;
      const up = drawn.length === 0 ? '' : `\u001B[${drawn.length}A`;
      terminal.write(`${up}\u001B[J${lines.map(line => `${line}\n`).join('')}`);
      drawn = lines;
    },
  };
}

/** Each line starts with the seconds since the first snapshot. */
export function plainScreen(terminal: TerminalOutput): Screen {
  let previous: Snapshot | undefined;
  let start: number | undefined;
  return {
    show(snapshot, now) {
      start ??= now.getTime();
      const at = ((now.getTime() - start) / 1000).toFixed(1).padStart(6);
      for (const line of changes(previous, snapshot)) terminal.write(`${at} s  ${line}\n`);
      previous = snapshot;
    },
  };
}
