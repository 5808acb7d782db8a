/** The hard rules stand three times: in the webhook, in the schemas, and in the CRDs of a real API server. They never disagree. */
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

/** As many as tell of every rule in every one of its values; the seed makes each run the same. */
const DRAWN = { numRuns: 1_500, seed: 20_261_121 };
const TOGETHER = 8;

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

/** Why the API server refuses it, if so; nothing is stored. */
async function refusal(kind: Kind, spec: unknown): Promise<string | undefined> {
  const object = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: 'x' }, spec };
  try {
    await kube.dryRun(kind, object, 'default');
    return undefined;
  } catch (error) {
    if (isInvalid(error)) return error.message;
    throw error;
  }
}

/** As the API server hands an object to webhooks: a field that is null is no field. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, withoutNulls(one)] as const])),
  );
}

describe.each([
  { kind: NODE_OP, schema: NodeOpSpec, drawn: nodeOpSpecs },
  { kind: NODE_OP_UPGRADE, schema: NodeOpUpgradeSpec, drawn: upgradeSpecs },
])('of $kind.kind', ({ kind, schema, drawn }) => {
  const specs = fc.sample(drawn, DRAWN);

  test('webhook, schema and API server let the same specs in', async () => {
    const quarrels: object[] = [];
    const counts = { allowed: 0, refused: 0 };
    const judge = async (sent: Record<string, unknown>) => {
      const server = await refusal(kind, sent);
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
        quarrels.push({ spec, ...answers, said: server, told: validate(asked).response.status?.message });
    };
    for (let at = 0; at < specs.length; at += TOGETHER) await Promise.all(specs.slice(at, at + TOGETHER).map(judge));
    expect(quarrels).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(DRAWN.numRuns / 10);
  });

  test('the defaults of the webhook are those of the API server', async () => {
    const right = specs.filter(one => schema.safeParse(withoutNulls(one)).success).slice(0, 60);
    for (const { novelty: _unknown, ...spec } of right) {
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

/* Rules between many fields are the webhook's and the controller's; the CRD has those of single fields, and of the keys. */
describe('of OSArtifact', () => {
  const { group, version, kind } = OS_ARTIFACT;

  test('what the API server refuses the webhook refuses too, and all it lets in fits the schema', async () => {
    const quarrels: object[] = [];
    const counts = { allowed: 0, refused: 0 };
    const judge = async (sent: Record<string, unknown>) => {
      const server = await refusal(OS_ARTIFACT, sent);
      const spec = withoutNulls(sent);
      const object = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'x', namespace: 'default' }, spec };
      const { allowed, status } = validate({ ...request(), kind: { group, version, kind }, object }).response;
      const fits = OSArtifactSpec.safeParse(spec).success;
      counts[allowed ? 'allowed' : 'refused'] += 1;
      if ((allowed && server !== undefined) || (server === undefined && !fits))
        quarrels.push({ spec, server, fits, allowed, told: status?.message });
    };
    const specs = fc.sample(artifactSpecs, DRAWN);
    for (let at = 0; at < specs.length; at += TOGETHER) await Promise.all(specs.slice(at, at + TOGETHER).map(judge));
    expect(quarrels).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(DRAWN.numRuns / 20);
  });
});
