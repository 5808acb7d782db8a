/** What the fake kubelet and Job controller report some time after it has happened, as the real ones do. */
import { describe, expect, test } from '@jest/globals';
import { JOBS, PODS } from '../../../kube/resources.js';
import type { FakeCluster } from './cluster.js';
import type { JobObject, PodObject } from './object-types.js';
import { AT, byName, cluster, container, createPod, IMAGE, job, podIn, statuses, work } from './pods-setup.js';

describe('what a kubelet reports late', () => {
  /** Every different summary of the Pod, in the order in which it was written. */
  function history(it: FakeCluster, summarize: (pod: PodObject) => string): string[] {
    const seen: string[] = [];
    it.api.onChange((plural, { object, type }) => {
      const now = plural === PODS.plural && type !== 'DELETED' ? summarize(object as object as PodObject) : seen.at(-1);
      if (now !== undefined && now !== seen.at(-1)) seen.push(now);
    });
    return seen;
  }
  const phaseAndMain = ({ status }: PodObject) =>
    [status.phase, Object.keys(status.containerStatuses?.[0]?.state ?? {})].join(' ');
  const sandboxAndMain = ({ status }: PodObject) => {
    const sandbox = status.conditions?.find(({ type }) => type === 'PodReadyToStartContainers')?.status;
    return `${sandbox} ${Object.keys(status.containerStatuses?.[0]?.state ?? {}).join()}`;
  };

  test('the phase of a Pod follows the end of its last container', async () => {
    const it = cluster({ behavior: byName });
    const seen = history(it, phaseAndMain);
    createPod(it, { containers: [container('for-5')] });
    await it.runFor(20);
    expect(seen.slice(-3)).toEqual(['Running running', 'Running terminated', 'Succeeded terminated']);
  });

  test('the phase is reported after the boot when the machine goes down before', async () => {
    const it = cluster({ behavior: byName });
    createPod(it, { containers: [container('for-5')] });
    await it.runUntil(() => statuses(podIn(it))?.[0] === 'for-5 terminated 0');
    it.machine('n1').powerOff();
    await it.runFor(60);
    expect(podIn(it).status.phase).toBe('Running');
    it.machine('n1').powerOn();
    await it.runFor(60);
    expect(podIn(it).status.phase).toBe('Succeeded');
  });

  test('a Pod that is deleted before its phase is reported has succeeded', async () => {
    const it = cluster({ behavior: byName });
    const seen = history(it, phaseAndMain);
    createPod(it, { containers: [container('for-5')] });
    await it.runUntil(() => statuses(podIn(it))?.[0] === 'for-5 terminated 0');
    it.delete(PODS, AT);
    await it.runFor(1);
    expect([seen.at(-1), it.api.find(PODS, AT)]).toEqual(['Succeeded terminated', undefined]);
  });

  test('the sandbox of a Pod is reported when the first pull has ended, and not while it lasts', async () => {
    const it = cluster({ behavior: byName, images: { [IMAGE]: { pullSeconds: 30 } } });
    const seen = history(it, sandboxAndMain);
    createPod(it, { containers: [container('for-5')] });
    await it.runFor(60);
    expect(seen.slice(-4)).toEqual(['False waiting', 'True running', 'True terminated', 'False terminated']);
  });
});

describe('a Job whose Pod has succeeded', () => {
  const typesOf = ({ api }: FakeCluster) =>
    api.get<JobObject>(JOBS, { name: 'j', namespace: 'default' }).status?.conditions?.map(({ type }) => type);
  const hasSucceeded = (it: FakeCluster) =>
    it.api.all<PodObject>(PODS).some(({ status: { phase } }) => phase === 'Succeeded');

  test('is Complete some time later', async () => {
    const it = cluster({ behavior: byName });
    it.api.create(JOBS, job({ template: { spec: work('for-5') } }), 'default');
    await it.runUntil(() => hasSucceeded(it));
    await it.runFor(0.8);
    expect(typesOf(it)).toEqual([]);
    await it.runFor(0.4);
    expect(typesOf(it)).toEqual(['Complete']);
  });

  test('is Complete, and not suspended, when it is suspended before', async () => {
    const it = cluster({ behavior: byName });
    it.api.create(JOBS, job({ template: { spec: work('for-5') } }), 'default');
    await it.runUntil(() => hasSucceeded(it));
    it.api.patch(JOBS, { name: 'j', namespace: 'default' }, { spec: { suspend: true } });
    await it.runFor(2);
    expect([typesOf(it), it.api.all(PODS).length]).toEqual([['Complete'], 1]);
  });

  test('is never Complete, and its Pod is gone, when it is suspended before the phase of the Pod is reported', async () => {
    const it = cluster({ behavior: byName });
    it.api.create(JOBS, job({ template: { spec: work('for-5') } }), 'default');
    await it.runUntil(() => it.containerRuns.some(({ ended }) => ended !== undefined));
    it.api.patch(JOBS, { name: 'j', namespace: 'default' }, { spec: { suspend: true } });
    await it.runFor(60);
    expect([typesOf(it), it.api.all(PODS).length]).toEqual([['Suspended'], 0]);
  });
});
