import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import {
  baseAliases,
  baseSettings,
  configReader,
  booleanSetting,
  portSetting,
  integerSetting,
  listSetting,
} from '../../program/config.js';
import { nearest } from '../../program/nearest.js';
import { ConfigFaults, PrintRequest } from '../../program/run.js';

const read = configReader({
  program: 'controller',
  purpose: 'Looks after nodes.',
  settings: z.object({
    ...baseSettings,
    leaderElect: booleanSetting().default(true).describe('Wait for the lease.'),
    namespaces: listSetting().optional().describe('Where to look.'),
    retries: integerSetting(1).default(3),
    image: z.string().describe('Image of the job.'),
    metricsPort: portSetting().default(0),
  }),
  aliases: { ...baseAliases, image: { env: ['NODEOP_DEFAULT_IMAGE'] } },
});
const faults = (env: Record<string, string>, ...argv: string[]): readonly string[] => {
  try {
    read(env, argv);
    return [];
  } catch (error) {
    if (error instanceof ConfigFaults) return error.faults;
    throw error;
  }
};

describe('where a setting comes from', () => {
  const rest = { logLevel: 'info', healthPort: 8081, leaderElect: true, retries: 3, metricsPort: 0 };
  test.each<[string, Record<string, string>, string[], object]>([
    ['the environment, and defaults', { IMAGE: 'a' }, [], { image: 'a' }],
    ['a further name', { NODEOP_DEFAULT_IMAGE: 'a' }, [], { image: 'a' }],
    ['our own name first', { NODEOP_DEFAULT_IMAGE: 'a', IMAGE: 'b' }, [], { image: 'b' }],
    ['a flag before the environment', { IMAGE: 'a' }, ['--image=b'], { image: 'b' }],
    ['a flag in two words', {}, ['--image', 'b'], { image: 'b' }],
    ['a flag with one dash', {}, ['-image=b'], { image: 'b' }],
    ['a value with an equals sign', {}, ['--image=a=b'], { image: 'a=b' }],
    ['an empty variable is none', { IMAGE: 'a', LOG_LEVEL: '' }, [], { image: 'a' }],
    ['a switch needs no value', { IMAGE: 'a', LEADER_ELECT: 'off' }, ['--leader-elect'], { image: 'a' }],
    ['a switch may have one', { IMAGE: 'a' }, ['--leader-elect=false'], { image: 'a', leaderElect: false }],
    ['a port as an address', { IMAGE: 'a' }, ['--health-probe-bind-address=:9'], { image: 'a', healthPort: 9 }],
    ['words', { IMAGE: 'a', NAMESPACES: 'x, y' }, [], { image: 'a', namespaces: ['x', 'y'] }],
  ])('%s', (_sentence, env, argv, expected) => expect(read(env, argv)).toEqual({ ...rest, ...expected }));
});

describe('mistakes', () => {
  test('are all told at once, each by its names', () => {
    expect(faults({ LOG_LEVEL: 'loud', RETRIES: '0' }, '--metrics-port=99999', '--imag=x', 'stray')).toEqual([
      '--imag: there is no such flag; did you mean --image?',
      'stray: not understood, settings are given as --name=value',
      expect.stringMatching(/^LOG_LEVEL \(--log-level\): .*"debug".*; it is "loud"$/),
      expect.stringMatching(/^RETRIES \(--retries\): .*; it is "0"$/),
      'IMAGE (--image): must be given',
      'METRICS_PORT (--metrics-port): a port is at most 65535; it is "99999"',
    ]);
  });

  test.each([
    [['--image'], '--image: a value is missing'],
    [['--image', '--leader-elect'], '--image: a value is missing'],
    [['--entirely-different', 'value'], '--entirely-different: there is no such flag'],
  ])('%j: %s', (argv, expected) => expect(faults({ IMAGE: 'a' }, ...argv)).toEqual([expected]));
});

describe('words asked for', () => {
  const said = (...argv: string[]): string => {
    try {
      read({}, argv);
    } catch (error) {
      if (error instanceof PrintRequest) return error.message;
    }
    return '';
  };
  test('help names every flag, variable and default', () => {
    const help = said('--help');
    expect(help).toContain('controller dev: Looks after nodes.');
    expect(help).toContain('--health-port, --health-probe-bind-address');
    expect(help).toContain('Port of /healthz and /readyz; 0 is off. [HEALTH_PORT; default 8081]');
    expect(help).toContain('Image of the job. [IMAGE, NODEOP_DEFAULT_IMAGE; must be given]');
    expect(help).toContain('Where to look. [NAMESPACES]');
  });
  test('version', () => expect(said('--version')).toBe('controller dev'));
});

test.each([
  ['concurency', 'concurrency'],
  ['conc', undefined],
  ['drian', 'drain'],
])('the nearest to %s is %s', (word, known) => expect(nearest(word, ['concurrency', 'drain'])).toBe(known));

test('a word of any length is not compared: it may come from anybody', () => {
  const [longest, tooLong] = ['x'.repeat(64), 'x'.repeat(65)];
  expect(nearest(longest, [longest, tooLong])).toBe(longest);
  expect(nearest(tooLong, [longest, tooLong])).toBeUndefined();
});
