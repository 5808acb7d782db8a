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
import { nearest } from '../../program/nearest-name.js';
import { ConfigFaults, PrintRequest } from '../../program/run.js';

const read = configReader({
  program: 'controller',
  purpose: 'Runs operations on nodes.',
  settings: z.object({
    ...baseSettings,
    leaderElect: booleanSetting().default(true).describe('Whether to run leader election.'),
    namespaces: listSetting().optional().describe('Namespaces to watch.'),
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

describe('the config reader', () => {
  const rest = { logLevel: 'info', healthPort: 8081, leaderElect: true, retries: 3, metricsPort: 0 };
  test.each<[string, Record<string, string>, string[], object]>([
    ['the environment or its default', { IMAGE: 'a' }, [], { image: 'a' }],
    ['an alias', { NODEOP_DEFAULT_IMAGE: 'a' }, [], { image: 'a' }],
    ['its own name rather than an alias', { NODEOP_DEFAULT_IMAGE: 'a', IMAGE: 'b' }, [], { image: 'b' }],
    ['a flag rather than the environment', { IMAGE: 'a' }, ['--image=b'], { image: 'b' }],
    ['a flag whose value is the next argument', {}, ['--image', 'b'], { image: 'b' }],
    ['a flag with one dash', {}, ['-image=b'], { image: 'b' }],
    ['a flag whose value contains an equals sign', {}, ['--image=a=b'], { image: 'a=b' }],
    ['its default when the environment variable is empty', { IMAGE: 'a', LOG_LEVEL: '' }, [], { image: 'a' }],
    ['a boolean flag without a value', { IMAGE: 'a', LEADER_ELECT: 'off' }, ['--leader-elect'], { image: 'a' }],
    ['a boolean flag with a value', { IMAGE: 'a' }, ['--leader-elect=false'], { image: 'a', leaderElect: false }],
    [
      'an address that contains the port',
      { IMAGE: 'a' },
      ['--health-probe-bind-address=:9'],
      { image: 'a', healthPort: 9 },
    ],
    ['a list with commas and spaces', { IMAGE: 'a', NAMESPACES: 'x, y' }, [], { image: 'a', namespaces: ['x', 'y'] }],
  ])('reads a setting from %s', (_sentence, env, argv, expected) =>
    expect(read(env, argv)).toEqual({ ...rest, ...expected }),
  );
});

describe('mistakes in the settings', () => {
  test('invalid settings are reported all at once, each with its variable and flag', () => {
    expect(faults({ LOG_LEVEL: 'loud', RETRIES: '0' }, '--metrics-port=99999', '--imag=x', 'stray')).toEqual([
      '--imag: unknown flag; did you mean --image?',
      'stray: unexpected argument; settings are given as --name=value',
      expect.stringMatching(/^LOG_LEVEL \(--log-level\): .*"debug".*; got "loud"$/),
      expect.stringMatching(/^RETRIES \(--retries\): .*; got "0"$/),
      'IMAGE (--image): required',
      'METRICS_PORT (--metrics-port): a port is at most 65535; got "99999"',
    ]);
  });

  test.each([
    [['--image'], '--image: missing value'],
    [['--image', '--leader-elect'], '--image: missing value'],
    [['--entirely-different', 'value'], '--entirely-different: unknown flag'],
  ])('the arguments %j are reported as %s', (argv, expected) =>
    expect(faults({ IMAGE: 'a' }, ...argv)).toEqual([expected]),
  );
});

describe('a text requested on the command line', () => {
  const printed = (...argv: string[]): string => {
    try {
      read({}, argv);
    } catch (error) {
      if (error instanceof PrintRequest) return error.message;
    }
    return '';
  };
  test('--help lists every flag, variable and default', () => {
    const help = printed('--help');
    expect(help).toContain('controller dev: Runs operations on nodes.');
    expect(help).toContain('--health-port, --health-probe-bind-address');
    expect(help).toContain('Port of /healthz and /readyz; 0 disables it. [HEALTH_PORT; default 8081]');
    expect(help).toContain('Image of the job. [IMAGE, NODEOP_DEFAULT_IMAGE; required]');
    expect(help).toContain('Namespaces to watch. [NAMESPACES]');
  });
  test('--version prints program and version', () => expect(printed('--version')).toBe('controller dev'));
});

test.each([
  ['concurency', 'concurrency'],
  ['conc', undefined],
  ['drian', 'drain'],
])('the word that was probably meant by %s is %s', (word, known) =>
  expect(nearest(word, ['concurrency', 'drain'])).toBe(known),
);

test('words longer than 64 letters are not compared, because the input may come from any user', () => {
  const [longest, tooLong] = ['x'.repeat(64), 'x'.repeat(65)];
  expect(nearest(longest, [longest, tooLong])).toBe(longest);
  expect(nearest(tooLong, [longest, tooLong])).toBeUndefined();
});
