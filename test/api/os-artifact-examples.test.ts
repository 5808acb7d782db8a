import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { OSArtifactSpec } from '../../api/os-artifact.js';
import { osArtifactFaults } from '../../api/os-artifact-rules.js';

const FOLDER = 'docs/examples';

const objects = readdirSync(FOLDER)
  .filter(name => name.startsWith('osartifact'))
  .flatMap(name =>
    parseAllDocuments(readFileSync(`${FOLDER}/${name}`, 'utf8')).map(
      document => [name, document.toJS() as { kind: string; spec: unknown }] as const,
    ),
  )
  .filter(([, { kind }]) => kind === 'OSArtifact');

describe('the documented examples', () => {
  test('include OSArtifacts', () => expect(objects.length).toBeGreaterThanOrEqual(3));

  test.each(objects)('are valid: %s', (_, { spec }) => {
    expect(osArtifactFaults(OSArtifactSpec.parse(spec))).toEqual([]);
    expect(OSArtifactSpec.strict().safeParse(spec).error).toBeUndefined();
  });
});
