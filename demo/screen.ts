/** Where the table appears: redrawn in place on a terminal, a line for each change elsewhere. */
import { changes, type Snapshot, snapshotLines } from './snapshot.js';
import { cut } from './table.js';

export interface Screen {
  show(scene: Snapshot, now: Date): void;
}

/** The part of a terminal that drawing needs. */
export interface Terminal {
  write(text: string): unknown;
  columns?: number;
}

/** Goes up over what it drew last, clears from there, and draws again; a frame like the last one is not drawn. */
export function liveScreen(terminal: Terminal): Screen {
  let last: readonly string[] = [];
  return {
    show(scene, now) {
      const lines = snapshotLines(scene, now).map(line => cut(line, terminal.columns ?? 120));
      if (lines.join('\n') === last.join('\n')) return;
      const up = last.length === 0 ? '' : `\u001B[${last.length}A`;
      terminal.write(`${up}\u001B[J${lines.map(line => `${line}\n`).join('')}`);
      last = lines;
    },
  };
}

/** Each line begins with the seconds since the first look. */
export function plainScreen(terminal: Terminal): Screen {
  let before: Snapshot | undefined;
  let begin: number | undefined;
  return {
    show(scene, now) {
      begin ??= now.getTime();
      const at = ((now.getTime() - begin) / 1000).toFixed(1).padStart(6);
      for (const line of changes(before, scene)) terminal.write(`${at} s  ${line}\n`);
      before = scene;
    },
  };
}
