import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../agent/config.js';
import { PrintRequest } from '../../program/run.js';

const NODE_NAME = 'n1';

describe('settings', () => {
  test('need only a node name', () => {
    expect(readConfig({ NODE_NAME }, [])).toEqual({
      nodeName: 'n1',
      hostRoot: '/host',
      logLevel: 'info',
      serviceAccountDir: '/var/run/secrets/kubernetes.io/serviceaccount',
      probePort: 0,
      systemFacts: false,
    });
  });
  test('take flags in both notations, with precedence over the environment', () => {
    const config = readConfig({ NODE_NAME, LOG_LEVEL: 'warn' }, ['--log-level', 'debug', '--host-root=/mnt']);
    expect(config).toMatchObject({ logLevel: 'debug', hostRoot: '/mnt' });
  });
  test('treat an empty variable as absent', () => {
    expect(readConfig({ NODE_NAME, HOST_ROOT: '', HEALTH_PORT: '' }, [])).toMatchObject({ hostRoot: '/host' });
  });
  test.each([
    [{}, [], 'NODE_NAME: required'],
    [{ NODE_NAME, LOG_LEVEL: 'loud' }, [], 'LOG_LEVEL: loud: must be one of debug, info, warn, error'],
    [{ NODE_NAME, HOST_ROOT: 'host' }, [], 'HOST_ROOT: host: must be an absolute path'],
    [{ NODE_NAME, HEALTH_PORT: '70000' }, [], 'HEALTH_PORT: 70000: must be a port number, or 0'],
    [{ NODE_NAME, SYSTEM_FACTS: 'yes' }, [], 'SYSTEM_FACTS: yes: must be true or false'],
    [{ NODE_NAME }, ['--every', '60'], '--every: unknown flag, or a flag without a value'],
    [{ NODE_NAME }, ['--log-level'], '--log-level: unknown flag, or a flag without a value'],
  ])('are rejected: %j %j: %s', (env, argv, fault) => {
    expect(() => readConfig(env, argv)).toThrow(fault);
  });
  test.each(['--help', '--version'])('are not needed for %s, which only prints a text', flag => {
    expect(() => readConfig({}, [flag])).toThrow(PrintRequest);
  });
});
