/** The validation rules exist in the webhook, in the zod schemas and in the CRDs of a real API server; these tests show that they agree. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { join } from 'node:path';
import { type Kind, NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../../api/kinds.js';
import { NodeOpSpec } from '../../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import { OSArtifactSpec } from '../../api/os-artifact.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { isInvalid } from '../../kube/errors.js';
import { fromKubeconfig } from '../../kube/kubeconfig.js';
import { mutate, validate } from '../../webhook/admit.js';
import { artifactSpecs } from '../webhook/artifact-objects.js';
import { nodeOpSpecs, upgradeSpecs } from '../webhook/objects.js';
import { request } from '../webhook/reviews.js';
import { ControlPlane } from './control-plane.js';
import { repository } from './paths.js';

jest.setTimeout(900_000); // the programs may have to be compiled first

/** Enough random specs to cover the values of every rule; the seed makes the runs reproducible. */
const SAMPLE = { numRuns: 1_500, seed: 20_261_121 };
const CONCURRENT = 8;

let plane: ControlPlane;
let kube: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'webhook-schema' });
  await plane.kubectl.do(['apply', '-k', join(repository, 'manifests/crd')]);
  await plane.kubectl.do(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  kube = createKube(await fromKubeconfig(plane.kubeconfig), { userAgent: 'test/0' });
});

afterAll(async () => {
  kube?.close();
  await plane?.stop();
});

/** Why the API server rejects a spec, if it does; a dry run, so nothing is stored. */
async function rejection(kind: Kind, spec: unknown): Promise<string | undefined> {
  const object = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: 'x' }, spec };
  try {
    await kube.dryRun(kind, object, 'default');
    return undefined;
  } catch (error) {
    if (isInvalid(error)) return error.message;
    throw error;
  }
}

/** Removes null fields, as the API server does before it calls webhooks. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, withoutNulls(one)] as const])),
  );
}

describe.each([
  { kind: NODE_OP, schema: NodeOpSpec, arbitrary: nodeOpSpecs },
  { kind: NODE_OP_UPGRADE, schema: NodeOpUpgradeSpec, arbitrary: upgradeSpecs },
])('$kind.kind', ({ kind, schema, arbitrary }) => {
  const specs = fc.sample(arbitrary, SAMPLE);

  test('specs are accepted by webhook, schema and API server alike', async () => {
    const disagreements: object[] = [];
    const counts = { allowed: 0, refused: 0 };
    const judge = async (sent: Record<string, unknown>) => {
      const server = await rejection(kind, sent);
      const spec = withoutNulls(sent);
      const asked = request({ kind: kind.kind as 'NodeOp' | 'NodeOpUpgrade', spec });
      const answers = {
        server: server === undefined,
        schema: schema.safeParse(spec).success,
        mutate: mutate(asked).response.allowed,
        validate: validate(asked).response.allowed,
      };
      counts[answers.server ? 'allowed' : 'refused'] += 1;
      if (new Set(Object.values(answers)).size > 1)
        disagreements.push({
          spec,
          ...answers,
          serverMessage: server,
          webhookMessage: validate(asked).response.status?.message,
        });
    };
    for (let at = 0; at < specs.length; at += CONCURRENT)
      await Promise.all(specs.slice(at, at + CONCURRENT).map(judge));
    expect(disagreements).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(SAMPLE.numRuns / 10);
  });

  test('defaults are the same in the webhook and the API server', async () => {
    const valid = specs.filter(spec => schema.safeParse(withoutNulls(spec)).success).slice(0, 60);
    for (const { novelty: _unknown, ...spec } of valid) {
      const object = {
        apiVersion: `${kind.group}/${kind.version}`,
        kind: kind.kind,
        metadata: { name: 'x', namespace: 'default' },
        spec,
      };
      const text = await plane.kubectl.do(['create', '--dry-run=server', '-o', 'json', '-f', '-'], {
        stdin: JSON.stringify(object),
      });
      expect((JSON.parse(text) as { spec: unknown }).spec).toEqual(schema.parse(withoutNulls(spec)));
    }
  });
});

/* The CRD validates single fields and keys; rules across fields are checked by the webhook and the controller. */
describe('OSArtifact', () => {
  const { group, version, kind } = OS_ARTIFACT;

  test('specs rejected by the API server are rejected by the webhook, and accepted ones are valid by the schema', async () => {
    const disagreements: object[] = [];
    const counts = { allowed: 0, refused: 0 };
    const judge = async (sent: Record<string, unknown>) => {
      const server = await rejection(OS_ARTIFACT, sent);
      const spec = withoutNulls(sent);
      const object = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'x', namespace: 'default' }, spec };
      const { allowed, status } = validate({ ...request(), kind: { group, version, kind }, object }).response;
      const fits = OSArtifactSpec.safeParse(spec).success;
      counts[allowed ? 'allowed' : 'refused'] += 1;
      if ((allowed && server !== undefined) || (server === undefined && !fits))
        disagreements.push({ spec, server, fits, allowed, message: status?.message });
    };
    const specs = fc.sample(artifactSpecs, SAMPLE);
    for (let at = 0; at < specs.length; at += CONCURRENT)
      await Promise.all(specs.slice(at, at + CONCURRENT).map(judge));
    expect(disagreements).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(SAMPLE.numRuns / 20);
  });
});
