import { describe, expect, test } from '@jest/globals';
import { changes, snapshotLines } from '../../demo/snapshot.js';
import { liveScreen, plainScreen } from '../../demo/screen.js';
import { at, node, NOW, scene, status } from './snapshots.js';

describe('the table', () => {
  test('has a line about the whole, a head, and a line for each node', () => {
    const lines = snapshotLines(
      scene({
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
      'upgrade: Running | 0/2 nodes | 60 s | sample: 2 Pods answer, 1 must',
      'NODE  ROLE           VERSION  BOOTS  STATE            PHASE    STEP   FOR   MESSAGE',
      'n1    control-plane  v3.5.0   2      Ready, cordoned  Running  Drain  12 s  1 pod is leaving',
      'n2    worker                         NotReady',
    ]);
  });

  test('says before the first status that nothing was seen yet', () => {
    expect(snapshotLines(scene(), NOW)[0]).toBe('upgrade: not seen yet | sample: 2 Pods answer, 1 must');
  });

  test('shows no time for a node that is done', () => {
    const done = status({ phase: 'Completed', stepTimes: { Claim: at(1) }, message: 'done' });
    const [, , line] = snapshotLines(scene({ upgrade: { nodeStatuses: { n1: done } } }), NOW);
    expect(line).toMatch(/Completed +done$/);
  });

  test('never shows a negative time, whatever the clocks say', () => {
    const ahead = status({ step: 'Run', stepTimes: { Run: at(90) } });
    expect(snapshotLines(scene({ upgrade: { nodeStatuses: { n1: ahead } } }), NOW)[2]).toMatch(/Run +0 s$/);
  });
});

describe('changes', () => {
  test('at first every node is told', () => {
    expect(changes(undefined, scene())).toEqual(['n1: v3.5.0 boot 1 Ready', 'n2: v3.5.0 boot 1 Ready']);
  });

  test('then only the node that changed', () => {
    const later = scene({ upgrade: { nodeStatuses: { n2: status({ step: 'Run', message: 'Job is running' }) } } });
    expect(changes(scene(), later)).toEqual(['n2: v3.5.0 boot 1 Ready Running Run | Job is running']);
  });

  test('nothing for the same scene', () => expect(changes(scene(), scene())).toEqual([]));

  test('a node without version or machine is told as it is', () => {
    const odd = scene({ nodes: [node('n9', { version: undefined, ready: false, schedulable: false })] });
    expect(changes(undefined, odd)).toEqual(['n9: version unknown boot ? NotReady, cordoned']);
  });
});

function terminal(columns?: number) {
  const written: string[] = [];
  return { columns, written, write: (text: string) => written.push(text) };
}

describe('the screen', () => {
  test('a terminal gets the table over the last one', () => {
    const place = terminal(200);
    const screen = liveScreen(place);
    screen.show(scene(), NOW);
    screen.show(scene({ answering: 1 }), NOW);
    expect(place.written[0]?.startsWith('\u001B[J')).toBe(true);
    expect(place.written[1]?.startsWith('\u001B[4A\u001B[J')).toBe(true);
    expect(place.written[1]).toContain('1 Pods answer');
  });

  test('a table that did not change is not drawn again', () => {
    const place = terminal();
    const screen = liveScreen(place);
    screen.show(scene(), NOW);
    screen.show(scene(), NOW);
    expect(place.written).toHaveLength(1);
  });

  test('no line is longer than the terminal is wide', () => {
    const place = terminal(20);
    liveScreen(place).show(scene(), NOW);
    const lines = (place.written[0] ?? '').replace('\u001B[J', '').split('\n');
    expect(Math.max(...lines.map(line => line.length))).toBe(20);
  });

  test('elsewhere there is a line for each change, with the seconds', () => {
    const place = terminal();
    const screen = plainScreen(place);
    screen.show(scene(), NOW);
    screen.show(scene({ boots: { n1: 1, n2: 2 } }), new Date(NOW.getTime() + 2500));
    expect(place.written).toEqual([
      '   0.0 s  n1: v3.5.0 boot 1 Ready\n',
      '   0.0 s  n2: v3.5.0 boot 1 Ready\n',
      '   2.5 s  n2: v3.5.0 boot 2 Ready\n',
    ]);
  });
});
