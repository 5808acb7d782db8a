import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../kube/errors.js';
import { world } from './world.js';

const WORDS = 'pods "op-" is forbidden: violates PodSecurity "restricted:latest": privileged';

describe('Pods that the API server would refuse', () => {
  const refusing = (spec: object) => {
    const story = world(spec);
    story.kube.onDryRun = () => {
      throw new KubeError(403, WORDS, 'Forbidden');
    };
    Object.assign(story.jobs, { n1: 'Complete', n2: 'Complete' });
    return story;
  };

  test('keep every node untouched, in the words of the server', async () => {
    const story = refusing({ cordon: true });
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    expect(story.op().status?.nodeStatuses?.n1).toMatchObject({
      phase: 'Pending',
      message: `the Pod of the Job would be refused: ${WORDS}`,
    });
    expect(story.agents().map(({ spec }) => spec.operation)).toEqual([undefined, undefined]);
    expect(story.node('n1')?.spec?.unschedulable).toBeUndefined();
  });

  test('fail the nodes when startDeadlineSeconds are over', async () => {
    const story = refusing({ startDeadlineSeconds: 20 });
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 2 } });
    expect(story.op().status?.nodeStatuses?.n1).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(story.op().status?.nodeStatuses?.n1?.message).toContain(WORDS);
    expect(story.jobsMade()).toEqual([]);
  });

  test('are tried again: once they are let in, the operation goes on', async () => {
    const story = refusing({});
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    story.kube.onDryRun = () => undefined;
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
  });

  test('are asked about as they would be: privileged, in their namespace, and once', async () => {
    const story = world({});
    const asked: unknown[] = [];
    story.kube.onDryRun = (body, namespace) => void asked.push([namespace, body]);
    Object.assign(story.jobs, { n1: 'Complete', n2: 'Complete' });
    await story.run();
    expect(asked).toEqual([
      [
        'default',
        expect.objectContaining({
          kind: 'Pod',
          spec: expect.objectContaining({
            containers: [expect.objectContaining({ securityContext: { privileged: true } })],
          }),
        }),
      ],
    ]);
  });
});
