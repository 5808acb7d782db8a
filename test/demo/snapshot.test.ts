import { describe, expect, test } from '@jest/globals';
import { changes, snapshotLines } from '../../demo/snapshot.js';
import { liveScreen, plainScreen } from '../../demo/screen.js';
import { at, node, NOW, snapshot, status } from './snapshots.js';

describe('the progress table', () => {
  test('has a headline, a header row and one row per node', () => {
    const lines = snapshotLines(
      snapshot({
        nodes: [node('n1', { schedulable: false }), node('n2', { version: undefined, ready: false })],
        boots: { n1: 2 },
        upgrade: {
          phase: 'Running',
          progress: '0/2',
          startedAt: at(0),
          nodeStatuses: {
            n1: status({ step: 'Drain', stepTimes: { Claim: at(1), Drain: at(48) }, message: '1 pod is leaving' }),
          },
        },
      }),
      NOW,
    );
    expect(lines).toEqual([
      'upgrade: Running | 0/2 nodes | 60 s | sample: 2 Pods ready, 1 required',
      'NODE  ROLE           VERSION  BOOTS  STATE            PHASE    STEP   FOR   MESSAGE',
      'n1    control-plane  v3.5.0   2      Ready, cordoned  Running  Drain  12 s  1 pod is leaving',
      'n2    worker                         NotReady',
    ]);
  });

  test('says that there is no status yet before the first status update', () => {
    expect(snapshotLines(snapshot(), NOW)[0]).toBe('upgrade: no status yet | sample: 2 Pods ready, 1 required');
  });

  test('shows no step time for a node that is completed', () => {
    const done = status({ phase: 'Completed', stepTimes: { Claim: at(1) }, message: 'done' });
    const [, , line] = snapshotLines(snapshot({ upgrade: { nodeStatuses: { n1: done } } }), NOW);
    expect(line).toMatch(/Completed +done$/);
  });

  test('never shows a negative time when the clocks differ', () => {
    const ahead = status({ step: 'Run', stepTimes: { Run: at(90) } });
    expect(snapshotLines(snapshot({ upgrade: { nodeStatuses: { n1: ahead } } }), NOW)[2]).toMatch(/Run +0 s$/);
  });
});

describe('the changes between two snapshots', () => {
  test('list every node when there is no previous snapshot', () => {
    expect(changes(undefined, snapshot())).toEqual(['n1: v3.5.0 boot 1 Ready', 'n2: v3.5.0 boot 1 Ready']);
  });

  test('list only the node that changed', () => {
    const later = snapshot({ upgrade: { nodeStatuses: { n2: status({ step: 'Run', message: 'Job is running' }) } } });
    expect(changes(snapshot(), later)).toEqual(['n2: v3.5.0 boot 1 Ready Running Run | Job is running']);
  });

  test('are empty for equal snapshots', () => expect(changes(snapshot(), snapshot())).toEqual([]));

  test('show a node without version and machine as unknown', () => {
    const incomplete = snapshot({ nodes: [node('n9', { version: undefined, ready: false, schedulable: false })] });
    expect(changes(undefined, incomplete)).toEqual(['n9: version unknown boot ? NotReady, cordoned']);
  });
});

function terminal(columns?: number) {
  const written: string[] = [];
  return { columns, written, write: (text: string) => written.push(text) };
}

describe('the two screens', () => {
  test('draws the table over the previous one on a terminal', () => {
    const output = terminal(200);
    const screen = liveScreen(output);
    screen.show(snapshot(), NOW);
    screen.show(snapshot({ readyPods: 1 }), NOW);
    expect(output.written[0]?.startsWith('\u001B[J')).toBe(true);
    expect(output.written[1]?.startsWith('\u001B[4A\u001B[J')).toBe(true);
    expect(output.written[1]).toContain('1 Pods ready');
  });

  test('draws an unchanged table only once', () => {
    const output = terminal();
    const screen = liveScreen(output);
    screen.show(snapshot(), NOW);
    screen.show(snapshot(), NOW);
    expect(output.written).toHaveLength(1);
  });

  test('truncates lines to the width of the terminal', () => {
    const output = terminal(20);
    liveScreen(output).show(snapshot(), NOW);
    const lines = (output.written[0] ?? '').replace('\u001B[J', '').split('\n');
    expect(Math.max(...lines.map(line => line.length))).toBe(20);
  });

  test('prints one line per change, with the elapsed seconds, in plain mode', () => {
    const output = terminal();
    const screen = plainScreen(output);
    screen.show(snapshot(), NOW);
    screen.show(snapshot({ boots: { n1: 1, n2: 2 } }), new Date(NOW.getTime() + 2500));
    expect(output.written).toEqual([
      '   0.0 s  n1: v3.5.0 boot 1 Ready\n',
      '   0.0 s  n2: v3.5.0 boot 1 Ready\n',
      '   2.5 s  n2: v3.5.0 boot 2 Ready\n',
    ]);
  });
});
