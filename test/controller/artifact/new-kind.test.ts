/**
 * A new kind of artifact is one row in `api/artifact-kinds.ts` and one builder in `controller/artifact/build/kind-steps.ts`. The compiler demands the second
 * where the first exists; these tests show that no other source file needs a change, and that each row is honoured everywhere.
 */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ARTIFACT_KINDS, FLAG_KINDS, keysOf, VARIANT_KINDS } from '../../../api/artifact-kinds.js';
import { OSArtifactSpec } from '../../../api/os-artifact.js';
import { osArtifactFaults } from '../../../api/os-artifact-rules.js';
import { buildOf } from '../../../controller/artifact/build/build.js';
import { builderPod } from '../../../controller/artifact/build/builder-pod.js';
import { sourceFiles } from '../../imports.js';
import { IMAGE, META, TOOLS } from './samples.js';

const TABLE = 'api/artifact-kinds.ts';
const BUILDERS = 'controller/artifact/build/';

/** `z.iso` is a namespace of zod. */
const KIND_NAME = new RegExp(String.raw`(?<!\bz\.)(?<![-\w])(${Object.keys(ARTIFACT_KINDS).join('|')})(?![-\w])`);
const withoutComments = (text: string) => text.replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');

describe('the source files that name a kind of artifact', () => {
  test('are the table in api and the builders, without exception', () => {
    const others = ['api', 'controller', 'webhook', 'packaging', 'manifests']
      .flatMap(sourceFiles)
      .filter(file => file !== TABLE && !file.startsWith(BUILDERS))
      .filter(file => KIND_NAME.test(withoutComments(readFileSync(file, 'utf8'))));
    expect(others).toEqual([]);
  });
});

interface Row {
  kind: keyof typeof ARTIFACT_KINDS;
  name: string;
  /** Of `spec.artifacts`. */
  request: object;
  output: { step: string; endings: readonly string[] };
}

const flagRows = keysOf(FLAG_KINDS).map(
  (kind): Row => ({
    kind,
    name: kind,
    request: { [kind]: true },
    output: FLAG_KINDS[kind],
  }),
);

const variantRows = keysOf(VARIANT_KINDS).flatMap(kind => {
  const { variants, requiredVolumes } = VARIANT_KINDS[kind];
  const volumes = Object.fromEntries(keysOf(requiredVolumes).map(field => [field, 'needed']));
  return keysOf(variants).map(
    (variant): Row => ({
      kind,
      name: `${kind}.${variant}`,
      request: { [kind]: { [variant]: true, ...volumes } },
      output: variants[variant],
    }),
  );
});

const rows = [...flagRows, ...variantRows].map(row => [row.name, row] as const);

const volumes = [{ name: 'needed', secret: { secretName: 'needed' } }];
const nested = ({ request }: Row, more: object = {}) => ({
  image: { ref: IMAGE },
  artifacts: request,
  volumes,
  ...more,
});

const faultsOf = (spec: object) => {
  const { data, error } = OSArtifactSpec.strict().safeParse(spec);
  return data ? osArtifactFaults(data) : error.issues;
};
const containersOf = (spec: object) =>
  builderPod(META, buildOf('os', OSArtifactSpec.parse(spec)), { id: 'id', attempt: 1 }, TOOLS).spec.initContainers;
const stepOf = (spec: object, { output }: Row) => containersOf(spec).find(({ name }) => name === output.step);

/** The runner takes the script and a limit first. */
const filesOf = (spec: object, row: Row) => ((stepOf(spec, row)?.args ?? []) as string[]).slice(2);

describe('each kind of artifact', () => {
  test.each(rows)('%s is requested by its field, without any other', (_, row) => {
    expect(faultsOf(nested(row))).toEqual([]);
  });

  test.each(rows)('%s is built by its step, which reports its files', (_, row) => {
    const files = filesOf(nested(row), row);
    const renamed = filesOf(nested(row, { nameOverride: { [row.kind]: 'mine' } }), row);
    expect(stepOf(nested(row), row)).toBeDefined();
    expect(files).toEqual(row.output.endings.map(ending => `os${ending}`));
    expect(renamed).toEqual(row.output.endings.map(ending => `mine${ending}`));
  });

  test.each(rows)('%s has resources of its own', (_, row) => {
    const limits = { limits: { memory: '1Gi' } };
    expect(stepOf(nested(row, { resources: { [row.kind]: limits } }), row)).toMatchObject({ resources: limits });
  });

  test.each(rows)('%s reserves the name of its step', (_, row) => {
    const importers = [{ name: row.output.step, image: IMAGE }];
    expect(faultsOf(nested(row, { importers }))).toMatchObject([{ path: ['importers', 0, 'name'] }]);
  });
});

describe('each kind with a boolean field', () => {
  test.each(flagRows.map(row => [row.name, row] as const))('%s can be requested in the flat shape', (_, row) => {
    const spec = { imageName: IMAGE, ...row.request };
    expect(faultsOf(spec)).toEqual([]);
    expect(stepOf(spec, row)).toBeDefined();
  });

  test('is named where a flat spec requests none', () => {
    const [fault] = faultsOf({ imageName: IMAGE });
    for (const kind of keysOf(FLAG_KINDS)) expect(fault?.message).toMatch(new RegExp(String.raw`\b${kind}\b`));
  });
});

describe('each kind with variants', () => {
  test.each(keysOf(VARIANT_KINDS))('%s requires its volumes for each variant', kind => {
    const { variants, requiredVolumes } = VARIANT_KINDS[kind];
    for (const variant of keysOf(variants)) {
      const faults = faultsOf({ image: { ref: IMAGE }, artifacts: { [kind]: { [variant]: true } } });
      expect(faults.map(({ path }) => path)).toEqual(keysOf(requiredVolumes).map(field => ['artifacts', kind, field]));
    }
  });
});
