import { describe, expect, test } from '@jest/globals';
import { parseFlags, USAGE } from '../../demo/flags.js';

const tour = { do: 'tour', nodes: 3, index: 0, keep: false, plain: false };

describe('parseFlags', () => {
  test.each([
    ['runs the demo with three nodes when there are no arguments', [], tour],
    ['reads the number of nodes', ['--nodes', '5'], { ...tour, nodes: 5 }],
    ['accepts a number after an equals sign', ['--nodes=1'], { ...tour, nodes: 1 }],
    ['uses the last value of a repeated flag', ['--nodes', '1', '--nodes', '2'], { ...tour, nodes: 2 }],
    ['accepts --keep together with --plain', ['--keep', '--plain'], { ...tour, keep: true, plain: true }],
    ['reads the number of another cluster', ['--index', '2'], { ...tour, index: 2 }],
    ['only removes the cluster with --down', ['--down'], { do: 'down', index: 0 }],
    ['removes another cluster with --down and --index', ['--down', '--index', '4'], { do: 'down', index: 4 }],
    ['prefers --help to a value that is out of range', ['--nodes', '99', '--help'], { do: 'help' }],
  ])('%s', (_sentence, args, options) => expect(parseFlags(args)).toEqual(options));

  test.each([
    ['an unknown flag that resembles a known one', ['--node', '3'], 'Unknown argument "--node". Did you mean --nodes?'],
    ['a flag with letters in the wrong order', ['--kepe'], 'Unknown argument "--kepe". Did you mean --keep?'],
    [
      'a flag that resembles none',
      ['--verbose'],
      'Unknown argument "--verbose". The flags are --nodes, --keep, --down, --plain',
    ],
    ['an argument that is not a flag', ['now'], 'Unknown argument "now". The flags are'],
    ['zero nodes', ['--nodes', '0'], '--nodes takes a whole number from 1 to 5, not "0".'],
    ['too many nodes', ['--nodes', '6'], '--nodes takes a whole number from 1 to 5, not "6".'],
    ['a fractional number of nodes', ['--nodes', '1.5'], 'not "1.5".'],
    ['--nodes without a number', ['--nodes'], '--nodes takes a whole number from 1 to 5, not nothing.'],
    ['a flag in place of the number', ['--nodes', '--keep'], 'not "--keep".'],
    ['a cluster number that is out of range', ['--index', '10'], '--index takes a whole number from 0 to 9, not "10".'],
    ['--keep together with --down', ['--keep', '--down'], '--keep and --down exclude each other'],
  ])('rejects %s with an explanation', (_sentence, args, reason) =>
    expect(parseFlags(args)).toEqual({ do: 'reject', reason: expect.stringContaining(reason) }),
  );
});

test('the usage text names every flag', () => {
  for (const flag of ['--nodes', '--keep', '--down', '--plain', '--index', '--help']) expect(USAGE).toContain(flag);
});
