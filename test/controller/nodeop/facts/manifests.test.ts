import { describe, expect, test } from '@jest/globals';
import { jobFor, objectName, preflightPodFor, pullPodFor } from '../../../../controller/nodeop/facts/manifests.js';
import { nodeOp } from '../../../builders.js';
import { UPGRADE_OWNER } from '../multi-node-plan.js';

const SETTINGS = { image: 'tool:1', sentinel: { image: 'agent:1', command: ['node', 'sentinel'] }, stateDir: '/state' };
const LABEL_VALUE = /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/;
const POD_HOST_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const job = (spec: object = {}, node = 'n1', metadata: object = {}) =>
  jobFor(nodeOp(spec, { metadata }), node, SETTINGS);
const podOf = (spec: object = {}, metadata: object = {}): Record<string, unknown> => ({
  ...job(spec, 'n1', metadata).spec.template.spec,
});
const REBOOT = { rebootOnSuccess: true };

describe('The Job of a node', () => {
  test('is created suspended and runs once on the node, whatever its taints', () => {
    expect(job().spec).toMatchObject({ suspend: true, completions: 1, parallelism: 1, podReplacementPolicy: 'Failed' });
    expect(podOf()).toMatchObject({
      nodeName: 'n1',
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
    });
  });

  const drain = { drainOptions: { enabled: true } };
  test.each<[string, object, string | undefined]>([
    ['drains its node is critical', { cordon: true, ...drain }, 'system-node-critical'],
    ['reboots its node is critical', REBOOT, 'system-node-critical'],
    ['only cordons its node has no priority', { cordon: true }, undefined],
    [
      'cordons with a drain that is not enabled has none',
      { cordon: true, drainOptions: { enabled: false } },
      undefined,
    ],
    ['does nothing but run a command has none', {}, undefined],
    ['only runs a command has the class of the spec', { priorityClassName: 'maintenance' }, 'maintenance'],
    ['reboots has the class of the spec', { ...REBOOT, priorityClassName: 'maintenance' }, 'maintenance'],
  ])('of an operation that %s', (_title, spec, expected) => expect(podOf(spec)['priorityClassName']).toBe(expected));

  test('has the limits of the spec, and no others', () => {
    const limits = { backoffLimit: 1, activeDeadlineSeconds: 60 };
    expect(job({ ...limits, ttlSecondsAfterFinished: 5 }).spec).toMatchObject(limits);
    expect(job({}).spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(job({}).spec.backoffLimit).toBe(3);
  });

  test('has no time to live when it is created', () =>
    expect(job({ ttlSecondsAfterFinished: 5 }).spec).not.toHaveProperty('ttlSecondsAfterFinished'));

  test('runs the command privileged, with the host mounted at HOST_DIR', () => {
    expect(podOf({ command: ['do', 'it'], hostMountPath: '/mnt/host' })).toMatchObject({
      containers: [
        {
          name: 'nodeop',
          image: 'tool:1',
          command: ['do', 'it'],
          env: [{ name: 'HOST_DIR', value: '/mnt/host' }],
          securityContext: { privileged: true },
          terminationMessagePolicy: 'FallbackToLogsOnError',
          volumeMounts: [{ name: 'host-root', mountPath: '/mnt/host' }],
        },
      ],
      volumes: [{ name: 'host-root', hostPath: { path: '/' } }],
    });
  });

  test('has no sentinel container without rebootOnSuccess', () => {
    expect(podOf()).not.toHaveProperty('initContainers');
    expect(podOf().containers).toHaveLength(1);
  });

  test('writes the sentinel after the command with rebootOnSuccess', () => {
    expect(podOf(REBOOT)).toMatchObject({
      initContainers: [{ name: 'nodeop' }],
      containers: [{ name: 'sentinel-creator', image: 'agent:1', command: ['node', 'sentinel'] }],
      volumes: [{ name: 'host-root' }, { name: 'sentinel-volume', hostPath: { path: '/state' } }],
    });
  });

  test('has a grace period of 600 s in an upgrade, to finish writing the image', () => {
    expect(podOf({}, UPGRADE_OWNER).terminationGracePeriodSeconds).toBe(600);
    expect(podOf()).not.toHaveProperty('terminationGracePeriodSeconds');
  });

  test('is owned by its NodeOp', () => {
    expect(job().metadata.ownerReferences).toEqual([
      expect.objectContaining({ kind: 'NodeOp', name: 'op', uid: 'uid-op', controller: true }),
    ]);
  });
});

describe('A Pod of a NodeOp', () => {
  const secrets = [{ name: 'pull' }];
  const whole = nodeOp({ imagePullSecrets: secrets, preflight: { command: ['check'], image: 'check:1' } });
  const specs = {
    job: { ...jobFor(whole, 'n1', SETTINGS).spec.template.spec },
    pull: { ...pullPodFor(whole, 'n1', SETTINGS).spec },
    preflight: { ...preflightPodFor(whole, 'n1', SETTINGS).spec },
  };

  test.each(['preflight', 'pull'] as const)('of kind %s preempts no workload and has no limits to refuse', kind => {
    expect(specs[kind]).not.toHaveProperty('priorityClassName');
    expect(specs[kind].containers).toEqual([expect.not.objectContaining({ resources: expect.anything() })]);
  });

  test.each(Object.entries(specs))('of kind %s has the pull secrets', (_kind, spec) =>
    expect(spec).toMatchObject({ imagePullSecrets: secrets, nodeName: 'n1', tolerations: [{ operator: 'Exists' }] }),
  );

  test('for the preflight has its own image and the host mounted read-only', () => {
    expect(specs.preflight.containers).toEqual([
      expect.objectContaining({
        image: 'check:1',
        command: ['check'],
        volumeMounts: [{ name: 'host-root', mountPath: '/host', readOnly: true }],
      }),
    ]);
  });

  test.each([
    ['the command', { ...specs.job }, 'nodeop'],
    ['the sentinel', podOf(REBOOT), 'sentinel-creator'],
    ['the preflight', { ...specs.preflight }, 'preflight'],
  ])('has a privileged container for %s, which SELinux would otherwise keep from the host', (_what, spec, name) =>
    expect(spec).toMatchObject({
      containers: [{ name, securityContext: { privileged: true } }],
    }),
  );

  test('for the pull is not privileged, as it does not need the host', () =>
    expect(JSON.stringify(specs.pull)).not.toContain('privileged'));

  test('for the pull brings the image of the sentinel as well where a reboot follows', () =>
    expect(pullPodFor(nodeOp(REBOOT), 'n1', SETTINGS).spec.containers).toMatchObject([
      { name: 'pull', image: 'tool:1' },
      { name: 'pull-sentinel', image: 'agent:1' },
    ]));

  test('for the pull has neither host nor token, and no grace period', () => {
    expect(specs.pull).toMatchObject({ terminationGracePeriodSeconds: 0, automountServiceAccountToken: false });
    expect(specs.pull).not.toHaveProperty('volumes');
    expect(specs.pull.containers).toHaveLength(1);
  });
});

describe('Names and labels', () => {
  const long = `${'node.'.repeat(50)}abc`;
  test.each<[string, string, string]>([
    ['short names', 'op', 'n1'],
    ['a node name with dots', 'op', 'n1.rack.example'],
    ['a node name of 253 characters', 'op', long],
    ['both of 253 characters', long, long],
    ['a dot just before the cut', `${'a'.repeat(51)}.b`, 'n1'],
    ['dashes before the cut', `a${'-'.repeat(60)}b`, 'n1'],
  ])('are valid for %s', (_sentence, name, node) => {
    const { metadata, spec } = job({}, node, { name });
    expect(metadata.name).toMatch(POD_HOST_NAME);
    for (const value of Object.values(metadata.labels)) expect(value).toMatch(LABEL_VALUE);
    expect(metadata.annotations).toEqual({
      'operator.kairos.io/nodeop-name': name,
      'operator.kairos.io/node-name': node,
      'operator.kairos.io/resumes': '0',
    });
    expect(spec.template.metadata.labels).toEqual(metadata.labels);
  });

  test('are tested with names of 253 characters, the maximum', () => expect(long).toHaveLength(253));

  test('are the same at every call and start with operation and node', () => {
    expect(job().metadata.name).toBe(job().metadata.name);
    expect(job().metadata.name).toMatch(/^op-n1-[0-9a-f]{10}$/);
  });

  test('differ between objects, attempts and nodes', () => {
    const again = { status: { nodeStatuses: { n1: { phase: 'Pending' as const, attempt: 2 } } } };
    const names = [
      objectName(nodeOp(), 'n1', 'job'),
      objectName(nodeOp(), 'n2', 'job'),
      objectName(nodeOp(), 'n1', 'pull'),
      objectName(nodeOp(), 'n1', 'preflight'),
      objectName(nodeOp({}, again), 'n1', 'job'),
      objectName(nodeOp({}, { metadata: { uid: 'other' } }), 'n1', 'job'),
      objectName(nodeOp(), 'n1-x', 'job'),
      objectName(nodeOp(), 'n1.x', 'job'),
      objectName(nodeOp(), `${long}1`, 'job'),
      objectName(nodeOp(), `${long}2`, 'job'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test('differ for long node names that differ only at the end', () => {
    const label = (node: string) => job({}, node).metadata.labels['kairos.io/node'];
    expect(label(`${long}1`)).not.toBe(label(`${long}2`));
    expect(label('n1')).toBe('n1');
  });
});

describe('The failure policy of a Job', () => {
  const rulesOf = (spec: object) => job(spec).spec.podFailurePolicy.rules;
  interface Ended {
    exitCodes?: Record<string, number>;
    /** Those that are true, and those that are false with `not`. */
    conditions?: string[];
  }

  /** The Job controller's rule: the first that matches decides, and an exit code of 0 matches nothing. */
  const actionOn = (spec: object, { exitCodes = {}, conditions = [] }: Ended) =>
    rulesOf(spec).find(rule =>
      'onExitCodes' in rule && rule.onExitCodes !== undefined
        ? Object.entries(exitCodes).some(
            ([name, code]) =>
              code !== 0 && !('containerName' in rule.onExitCodes && rule.onExitCodes.containerName !== name),
          )
        : 'onPodConditions' in rule &&
          rule.onPodConditions.some(({ type, status }) =>
            conditions.includes(status === 'True' ? type : `not ${type}`),
          ),
    )?.action ?? 'Count';

  test.each<[string, object, Ended, string]>([
    ['counts a command that failed', {}, { exitCodes: { nodeop: 1 } }, 'Count'],
    [
      'counts a command that was killed by an eviction',
      {},
      { exitCodes: { nodeop: 137 }, conditions: ['DisruptionTarget'] },
      'Count',
    ],
    [
      'counts a Pod whose added init container failed before the command',
      {},
      { exitCodes: { 'vault-init': 1 }, conditions: ['not Initialized'] },
      'Count',
    ],
    [
      'ends the Job when an added init container failed, perhaps after the command',
      REBOOT,
      { exitCodes: { nodeop: 0, 'vault-init': 1 }, conditions: ['not Initialized'] },
      'FailJob',
    ],
    ['counts a command that failed before its reboot', REBOOT, { exitCodes: { nodeop: 1 } }, 'Count'],
    [
      'ends the Job when the sentinel failed',
      REBOOT,
      { exitCodes: { nodeop: 0, 'sentinel-creator': 1 }, conditions: ['Initialized'] },
      'FailJob',
    ],
    [
      'ends the Job when the Pod was deleted after its command',
      REBOOT,
      { exitCodes: { nodeop: 0, 'sentinel-creator': 137 }, conditions: ['DisruptionTarget', 'Initialized'] },
      'FailJob',
    ],
    [
      'ends the Job when the node was lost after the command',
      REBOOT,
      { exitCodes: { nodeop: 0 }, conditions: ['DisruptionTarget', 'Initialized'] },
      'FailJob',
    ],
    [
      'ends the Job when an added container failed after the command',
      {},
      { exitCodes: { nodeop: 0, 'istio-proxy': 143 }, conditions: ['Initialized', 'DisruptionTarget'] },
      'FailJob',
    ],
    [
      'counts a command that was lost with its node',
      {},
      { conditions: ['PodReadyToStartContainers', 'DisruptionTarget'] },
      'Count',
    ],
    [
      'ignores a Pod that was evicted before its command started',
      REBOOT,
      { conditions: ['DisruptionTarget'] },
      'Ignore',
    ],
  ])('%s', (_title, spec, ended, expected) => expect(actionOn(spec, ended)).toBe(expected));
});
