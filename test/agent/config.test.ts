import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../agent/config.js';
import { PrintRequest } from '../../program/run.js';

const NODE_NAME = 'n1';

describe('settings', () => {
  test('a node name is all it takes', () => {
    expect(readConfig({ NODE_NAME }, [])).toEqual({
      nodeName: 'n1',
      hostRoot: '/host',
      logLevel: 'info',
      serviceAccountDir: '/var/run/secrets/kubernetes.io/serviceaccount',
      probePort: 0,
      systemFacts: false,
    });
  });
  test('flags go before the environment, in both spellings', () => {
    const config = readConfig({ NODE_NAME, LOG_LEVEL: 'warn' }, ['--log-level', 'debug', '--host-root=/mnt']);
    expect(config).toMatchObject({ logLevel: 'debug', hostRoot: '/mnt' });
  });
  test('an empty variable counts as absent', () => {
    expect(readConfig({ NODE_NAME, HOST_ROOT: '', HEALTH_PORT: '' }, [])).toMatchObject({ hostRoot: '/host' });
  });
  test.each([
    [{}, [], 'NODE_NAME: required'],
    [{ NODE_NAME, LOG_LEVEL: 'loud' }, [], 'LOG_LEVEL: loud: must be one of debug, info, warn, error'],
    [{ NODE_NAME, HOST_ROOT: 'host' }, [], 'HOST_ROOT: host: must be an absolute path'],
    [{ NODE_NAME, HEALTH_PORT: '70000' }, [], 'HEALTH_PORT: 70000: must be a port number, or 0'],
    [{ NODE_NAME, SYSTEM_FACTS: 'yes' }, [], 'SYSTEM_FACTS: yes: must be true or false'],
    [{ NODE_NAME }, ['--every', '60'], '--every: not known'],
    [{ NODE_NAME }, ['--log-level'], '--log-level: not known'],
  ])('%j %j: %s', (env, argv, fault) => {
    expect(() => readConfig(env, argv)).toThrow(fault);
  });
  test.each(['--help', '--version'])('%s asks for a text', flag => {
    expect(() => readConfig({}, [flag])).toThrow(PrintRequest);
  });
});
