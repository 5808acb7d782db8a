import { describe, expect, test } from '@jest/globals';
import { parseNode, parsePod } from '../../demo/parse-objects.js';

const conditions = (status: string) => ({ conditions: [{ type: 'Ready', status }] });

describe('a Node object', () => {
  test('is parsed with its role, version and cordon', () => {
    const object = {
      metadata: {
        name: 'n1',
        labels: { 'node-role.kubernetes.io/master': '' },
        annotations: { 'kairos.io/version': 'v3.5.0' },
      },
      spec: { unschedulable: true },
      status: conditions('True'),
    };
    expect(parseNode(object)).toEqual({
      name: 'n1',
      controlPlane: true,
      version: 'v3.5.0',
      schedulable: false,
      ready: true,
    });
  });

  test('is a worker that is not Ready when it has neither labels nor status', () =>
    expect(parseNode({ metadata: { name: 'n2' } })).toEqual({
      name: 'n2',
      controlPlane: false,
      version: undefined,
      schedulable: true,
      ready: false,
    }));
});

describe('a Pod object', () => {
  test('is terminating when it has a deletion timestamp, even while it is Ready', () => {
    const metadata = { name: 'a', deletionTimestamp: '2030-01-01T00:00:00Z' };
    expect(parsePod({ metadata, status: conditions('True') })).toEqual({ name: 'a', ready: true, terminating: true });
  });

  test('is not ready when its Ready condition is Unknown', () =>
    expect(parsePod({ metadata: { name: 'b' }, status: conditions('Unknown') })).toEqual({
      name: 'b',
      ready: false,
      terminating: false,
    }));
});
