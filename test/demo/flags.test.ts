import { describe, expect, test } from '@jest/globals';
import { parseFlags, USAGE } from '../../demo/flags.js';

const tour = { do: 'tour', nodes: 3, index: 0, keep: false, plain: false };

describe('what was typed', () => {
  test.each([
    ['nothing asks for the tour with three nodes', [], tour],
    ['a number of nodes is taken', ['--nodes', '5'], { ...tour, nodes: 5 }],
    ['a number may follow an equals sign', ['--nodes=1'], { ...tour, nodes: 1 }],
    ['the last of two numbers counts', ['--nodes', '1', '--nodes', '2'], { ...tour, nodes: 2 }],
    ['--keep and --plain go together', ['--keep', '--plain'], { ...tour, keep: true, plain: true }],
    ['another cluster may be named', ['--index', '2'], { ...tour, index: 2 }],
    ['--down takes down and nothing else', ['--down'], { do: 'down', index: 0 }],
    ['--down of another cluster', ['--down', '--index', '4'], { do: 'down', index: 4 }],
    ['--help wins over everything else that is right', ['--nodes', '99', '--help'], { do: 'help' }],
  ])('%s', (_sentence, args, wish) => expect(parseFlags(args)).toEqual(wish));

  test.each([
    ['an unknown flag near a known one', ['--node', '3'], 'There is no "--node". Did you mean --nodes?'],
    ['letters in the wrong order', ['--kepe'], 'There is no "--kepe". Did you mean --keep?'],
    ['a flag like none of them', ['--verbose'], 'There is no "--verbose". There are --nodes, --keep, --down, --plain'],
    ['a word that is no flag', ['now'], 'There is no "now". There are'],
    ['no nodes at all', ['--nodes', '0'], '--nodes wants a whole number from 1 to 5, not "0".'],
    ['too many nodes', ['--nodes', '6'], '--nodes wants a whole number from 1 to 5, not "6".'],
    ['half a node', ['--nodes', '1.5'], 'not "1.5".'],
    ['nodes without a number', ['--nodes'], '--nodes wants a whole number from 1 to 5, not nothing.'],
    ['a flag in place of the number', ['--nodes', '--keep'], 'not "--keep".'],
    ['a cluster number that does not exist', ['--index', '10'], '--index wants a whole number from 0 to 9, not "10".'],
    ['to keep and to take down at once', ['--keep', '--down'], '--keep and --down are opposites'],
  ])('%s is refused in words', (_sentence, args, why) =>
    expect(parseFlags(args)).toEqual({ do: 'refuse', why: expect.stringContaining(why) }),
  );
});

test('the help names every flag', () => {
  for (const flag of ['--nodes', '--keep', '--down', '--plain', '--index', '--help']) expect(USAGE).toContain(flag);
});
