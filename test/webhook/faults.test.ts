import { describe, expect, test } from '@jest/globals';
import { mutate, validate } from '../../webhook/admit.js';
import { denialOf, faultsIn, request } from './reviews.js';

const ok = { command: ['true'] };
const CONCURRENCY_RULE = 'must be a whole number from 0 up or a percentage such as "25%"';

describe('a NodeOp that is refused', () => {
  test.each<[string, unknown, string[]]>([
    ['no spec', undefined, ['spec: Required value']],
    ['a text as spec', 'reboot', ['spec: Invalid value: "reboot": must be an object']],
    ['an empty spec', {}, ['spec.command: Required value']],
    ['a text as command', { command: 'true' }, ['spec.command: Invalid value: "true": must be a list']],
    ['no word of a command', { command: [] }, ['spec.command: Invalid value: []: must have at least 1 item']],
    ['a number in a command', { command: ['sleep', 5] }, ['spec.command[1]: Invalid value: 5: must be a string']],
    ['null as command', { command: null }, ['spec.command: Invalid value: null: must be a list']],
    [
      'a negative concurrency',
      { ...ok, concurrency: -1 },
      ['spec.concurrency: Invalid value: -1: must be greater than or equal to 0'],
    ],
    ['half a node at once', { ...ok, concurrency: 0.5 }, [`spec.concurrency: Invalid value: 0.5: ${CONCURRENCY_RULE}`]],
    ['a text for a switch', { ...ok, cordon: 'yes' }, ['spec.cordon: Invalid value: "yes": must be a boolean']],
    [
      'a negative number of retries',
      { ...ok, backoffLimit: -2 },
      ['spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0'],
    ],
    [
      'a fraction of a second',
      { ...ok, settleSeconds: 1.5 },
      ['spec.settleSeconds: Invalid value: 1.5: must be a whole number'],
    ],
    [
      'more seconds than 32 bits hold',
      { ...ok, settleSeconds: 2147483648 },
      ['spec.settleSeconds: Invalid value: 2147483648: must be less than or equal to 2147483647'],
    ],
    [
      'no time to start',
      { ...ok, startDeadlineSeconds: 0 },
      ['spec.startDeadlineSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    ['a number as image', { ...ok, image: 7 }, ['spec.image: Invalid value: 7: must be a string']],
    [
      'a relative mount path',
      { ...ok, hostMountPath: 'host' },
      ['spec.hostMountPath: Invalid value: "host": must be an absolute path other than /, without ":"'],
    ],
    [
      'the root as mount path',
      { ...ok, hostMountPath: '/' },
      ['spec.hostMountPath: Invalid value: "/": must be an absolute path other than /, without ":"'],
    ],
    [
      'an unknown answer to a time-out',
      { ...ok, drainOptions: { onTimeout: 'Ignore' } },
      ['spec.drainOptions.onTimeout: Unsupported value: "Ignore": supported values: "Fail", "Delete", "Proceed"'],
    ],
    [
      'a negative time for a drain',
      { ...ok, drainOptions: { timeoutSeconds: -5 } },
      ['spec.drainOptions.timeoutSeconds: Invalid value: -5: must be greater than or equal to 0'],
    ],
    [
      'a list as drain options',
      { ...ok, drainOptions: [] },
      ['spec.drainOptions: Invalid value: []: must be an object'],
    ],
    [
      'a pull secret without a name',
      { ...ok, imagePullSecrets: [{ name: 'a' }, {}] },
      ['spec.imagePullSecrets[1].name: Required value'],
    ],
    [
      'a pull secret with an empty name',
      { ...ok, imagePullSecrets: [{ name: '' }] },
      ['spec.imagePullSecrets[0].name: Invalid value: "": must have at least 1 character'],
    ],
    [
      'an empty preflight',
      { ...ok, preflight: {} },
      ['spec.preflight: Required value: exactly one of command and release must be given'],
    ],
    [
      'two kinds of preflight',
      { ...ok, preflight: { command: ['a'], release: {} } },
      ['spec.preflight.release: Forbidden: may not be given beside command'],
    ],
    [
      'a preflight with an empty command',
      { ...ok, preflight: { command: [] } },
      ['spec.preflight.command: Invalid value: []: must have at least 1 item'],
    ],
    [
      'a wish for another boot state',
      { ...ok, verify: { bootState: 'passive' } },
      ['spec.verify.bootState: Unsupported value: "passive": supported values: "active"'],
    ],
    ['null in the place of a spec', null, ['spec: Invalid value: null: must be an object']],
    ['a list as spec', [ok], ['spec: Invalid value: [{"command":["true"]}]: must be an object']],
    [
      'pull secrets by their names alone',
      { ...ok, imagePullSecrets: ['registry'] },
      ['spec.imagePullSecrets[0]: Invalid value: "registry": must be an object'],
    ],
    [
      'one pull secret in the place of a list',
      { ...ok, imagePullSecrets: { name: 'a' } },
      ['spec.imagePullSecrets: Invalid value: {"name":"a"}: must be a list'],
    ],
    [
      'a grace period in words',
      { ...ok, drainOptions: { gracePeriodSeconds: '30s' } },
      ['spec.drainOptions.gracePeriodSeconds: Invalid value: "30s": must be a number'],
    ],
    [
      'a drain switched on by a word',
      { ...ok, drainOptions: { enabled: 'true' } },
      ['spec.drainOptions.enabled: Invalid value: "true": must be a boolean'],
    ],
    ['a pause by a number', { ...ok, paused: 1 }, ['spec.paused: Invalid value: 1: must be a boolean']],
    [
      'a reboot that may take no time',
      { ...ok, rebootTimeoutSeconds: 0 },
      ['spec.rebootTimeoutSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'Jobs that went before they finished',
      { ...ok, ttlSecondsAfterFinished: -1 },
      ['spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'a preflight without time',
      { ...ok, preflight: { command: ['a'], activeDeadlineSeconds: 0 } },
      ['spec.preflight.activeDeadlineSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'a selector as text',
      { ...ok, nodeSelector: 'kairos.io/managed=true' },
      ['spec.nodeSelector: Invalid value: "kairos.io/managed=true": must be an object'],
    ],
    [
      'a mount path with a colon',
      { ...ok, hostMountPath: '/host:ro' },
      ['spec.hostMountPath: Invalid value: "/host:ro": must be an absolute path other than /, without ":"'],
    ],
  ])('for %s', (_sentence, spec, faults) => {
    expect(faultsIn(validate(request({ spec })))).toEqual(faults);
    expect(faultsIn(mutate(request({ spec })))).toEqual(faults);
  });
});

test.each(['101%', '3', '-5%', 'all', '%'])('a NodeOp that works on "%s" of the nodes is refused', concurrency => {
  const [fault, ...more] = faultsIn(validate(request({ spec: { ...ok, concurrency } })));
  expect(fault).toMatch(`spec.concurrency: Invalid value: "${concurrency}": must `);
  expect(more).toEqual([]);
});

describe('a NodeOpUpgrade that is refused', () => {
  test.each<[string, unknown, string[]]>([
    ['no image', {}, ['spec.image: Required value']],
    ['an empty image', { image: '' }, ['spec.image: Invalid value: "": must have at least 1 character']],
    [
      'nothing to upgrade',
      { image: 'a', upgradeActive: false },
      [
        'spec.upgradeRecovery: Invalid value: false: must be true when upgradeActive is false: there would be nothing to do',
      ],
    ],
    [
      'an unknown guard',
      { image: 'a', allow: ['Architecture', 'Everything'] },
      [
        'spec.allow[1]: Unsupported value: "Everything": supported values: "Architecture", "TrustedBoot", "KubernetesSkew", "FallenBack"',
      ],
    ],
    [
      'a text as paths',
      { image: 'a', excludePaths: '/etc' },
      ['spec.excludePaths: Invalid value: "/etc": must be a list'],
    ],
    [
      'no time for the upgrade',
      { image: 'a', activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'a number as path',
      { image: 'a', excludePaths: [1] },
      ['spec.excludePaths[0]: Invalid value: 1: must be a string'],
    ],
    ['force as text', { image: 'a', force: 'yes' }, ['spec.force: Invalid value: "yes": must be a boolean']],
    ['an image as list', { image: ['a'] }, ['spec.image: Invalid value: ["a"]: must be a string']],
    [
      'a guard in the place of a list',
      { image: 'a', allow: 'Architecture' },
      ['spec.allow: Invalid value: "Architecture": must be a list'],
    ],
    [
      'more than all nodes at once',
      { image: 'a', concurrency: '150%' },
      ['spec.concurrency: Invalid value: "150%": must be a percentage such as "25%"'],
    ],
  ])('for %s', (_sentence, spec, faults) =>
    expect(faultsIn(validate(request({ kind: 'NodeOpUpgrade', spec })))).toEqual(faults),
  );
});

describe('all faults at once', () => {
  const spec = {
    concurrency: -1,
    drainOptions: { timeoutSeconds: 'long' },
    preflight: { image: 'a' },
    nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] },
  };
  const answer = validate(request({ spec }));

  test('wrong shapes do not hide broken rules between fields', () =>
    expect(
      denialOf(answer)
        ?.details.causes.map(cause => cause.field)
        .toSorted(),
    ).toEqual([
      'spec.command',
      'spec.concurrency',
      'spec.drainOptions.timeoutSeconds',
      'spec.nodeSelector.matchExpressions[0].values',
      'spec.preflight',
    ]));

  test('the sentence is the API server’s own', () =>
    expect(denialOf(validate(request({ spec: { concurrency: -1 } })))?.message).toBe(
      `NodeOp.operator.kairos.io "x" is invalid: [spec.concurrency: Invalid value: -1: must be greater than or equal to 0, spec.command: Required value]`,
    ));

  test('one fault stands without brackets', () =>
    expect(denialOf(validate(request({ spec: {} })))?.message).toBe(
      'NodeOp.operator.kairos.io "x" is invalid: spec.command: Required value',
    ));

  test('code, reason and causes are those of an invalid object', () => {
    const denial = denialOf(validate(request({ spec: {} })));
    expect(denial).toMatchObject({ code: 422, reason: 'Invalid', details: { name: 'x', kind: 'NodeOp' } });
    expect(denial?.details.causes).toEqual([
      { field: 'spec.command', message: 'Required value', reason: 'FieldValueRequired' },
    ]);
  });

  test('a name that is still to be made is spoken of by its beginning', () => {
    const asked = { ...request({ spec: {}, metadata: { name: undefined, generateName: 'os-' } }), name: '' };
    expect(denialOf(mutate(asked))?.message).toContain('NodeOp.operator.kairos.io "os-" is invalid');
  });

  test('a huge value is cut in the message', () => {
    const message = denialOf(validate(request({ spec: { command: 'x'.repeat(5000) } })))?.message ?? '';
    expect(message.length).toBeLessThan(400);
  });
});

describe('what passes', () => {
  test.each<[string, unknown]>([
    ['a command alone', ok],
    ['a percentage', { ...ok, concurrency: '25%' }],
    ['a negative grace period, which means the pod’s own', { ...ok, drainOptions: { gracePeriodSeconds: -1 } }],
    ['a preflight by command', { ...ok, preflight: { command: ['true'] } }],
    ['a preflight by release', { ...ok, preflight: { release: { version: 'v3' } } }],
    ['an empty selector', { ...ok, nodeSelector: {} }],
    ['a field nobody knows', { ...ok, colour: 'blue' }],
  ])('%s', (_sentence, spec) => expect(faultsIn(validate(request({ spec })))).toEqual([]));

  test.each<[string, unknown]>([
    ['an image alone', { image: 'a' }],
    ['recovery alone', { image: 'a', upgradeActive: false, upgradeRecovery: true }],
  ])('an upgrade with %s', (_sentence, spec) =>
    expect(faultsIn(validate(request({ kind: 'NodeOpUpgrade', spec })))).toEqual([]),
  );

  test('kinds that are not ours, subresources and deletions are let through', () => {
    const other = request({ spec: {} });
    expect(validate({ ...other, kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }).response.allowed).toBe(
      true,
    );
    expect(validate(request({ spec: {}, subResource: 'status', before: {} })).response.allowed).toBe(true);
    expect(validate({ ...other, operation: 'DELETE', object: null }).response.allowed).toBe(true);
    expect(mutate({ ...other, operation: 'DELETE', object: null }).response).toEqual({ uid: other.uid, allowed: true });
  });
});
