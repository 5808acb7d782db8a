import { describe, expect, test } from '@jest/globals';
import { compareSystemUUID, systemUUIDs } from '../../../controller/cluster/system-uuid.js';
import { node } from '../../builders.js';

const UUID = '4c4c4544-0044-4810-8036-b4c04f4e4a32';
const OTHER = '4c4c4544-0044-4810-8036-b4c04f4e4a33';
const BOARD = '03000200-0400-0500-0006-000700080009';

describe('the system UUID of a new Node', () => {
  test.each<[string, string | undefined, { systemUUID?: string; machineID?: string; isShared?: boolean }, string]>([
    ['identifies the same machine', UUID, { systemUUID: UUID }, 'same'],
    [
      'identifies the same machine in upper case, as older kernels report it',
      UUID.toUpperCase(),
      { systemUUID: UUID },
      'same',
    ],
    ['identifies another machine', UUID, { systemUUID: OTHER }, 'other'],
    [
      'identifies another machine even if other nodes have the same one',
      UUID,
      { systemUUID: OTHER, isShared: true },
      'other',
    ],
    ['proves nothing if other nodes have the same one', UUID, { systemUUID: UUID, isShared: true }, 'unknown'],
    ['proves nothing without a recorded one', undefined, { systemUUID: UUID }, 'unknown'],
    ['proves nothing when it is empty', UUID, { systemUUID: '' }, 'unknown'],
    ['proves nothing when it is a placeholder of the vendor', BOARD, { systemUUID: BOARD }, 'unknown'],
    ['proves nothing after a placeholder of the vendor', BOARD, { systemUUID: UUID }, 'unknown'],
    ['proves nothing when it is all zeros', UUID, { systemUUID: '00000000-0000-0000-0000-000000000000' }, 'unknown'],
    ['proves nothing when it is all ones', UUID, { systemUUID: 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF' }, 'unknown'],
    [
      'proves nothing when it is the machine ID, which may be new in each boot',
      UUID,
      { systemUUID: OTHER, machineID: OTHER.replaceAll('-', '') },
      'unknown',
    ],
    [
      'identifies the same machine when it is the machine ID and has not changed',
      UUID,
      { systemUUID: UUID, machineID: UUID.replaceAll('-', '') },
      'same',
    ],
  ])('%s', (_sentence, recorded, { isShared = false, ...traits }, expected) => {
    expect(compareSystemUUID(recorded, node('n1', traits), isShared)).toBe(expected);
  });

  test('is indexed without dashes in lower case, and not at all when it identifies nothing', () => {
    expect(systemUUIDs(node('n1', { systemUUID: UUID.toUpperCase() }))).toEqual([UUID.replaceAll('-', '')]);
    expect(systemUUIDs(node('n1', { systemUUID: BOARD }))).toEqual([]);
    expect(systemUUIDs(node('n1'))).toEqual([]);
  });
});
