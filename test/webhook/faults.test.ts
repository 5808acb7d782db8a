import { describe, expect, test } from '@jest/globals';
import { mutate, validate } from '../../webhook/admit.js';
import { denialOf, faultsIn, request } from './reviews.js';

const ok = { command: ['true'] };
const CONCURRENCY_RULE = 'must be a whole number from 0 up or a percentage such as "25%"';

describe('a rejected NodeOp', () => {
  test.each<[string, unknown, string[]]>([
    ['no spec', undefined, ['spec: Required value']],
    ['a string as spec', 'reboot', ['spec: Invalid value: "reboot": must be an object']],
    ['an empty spec', {}, ['spec.command: Required value']],
    ['a string as command', { command: 'true' }, ['spec.command: Invalid value: "true": must be a list']],
    ['an empty command', { command: [] }, ['spec.command: Invalid value: []: must have at least 1 item']],
    ['a number in a command', { command: ['sleep', 5] }, ['spec.command[1]: Invalid value: 5: must be a string']],
    ['null as command', { command: null }, ['spec.command: Invalid value: null: must be a list']],
    [
      'a negative concurrency',
      { ...ok, concurrency: -1 },
      ['spec.concurrency: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'a fractional concurrency',
      { ...ok, concurrency: 0.5 },
      [`spec.concurrency: Invalid value: 0.5: ${CONCURRENCY_RULE}`],
    ],
    ['a string as boolean', { ...ok, cordon: 'yes' }, ['spec.cordon: Invalid value: "yes": must be a boolean']],
    [
      'a negative backoff limit',
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
      'a start deadline of zero',
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
      'an unknown timeout policy',
      { ...ok, drainOptions: { onTimeout: 'Ignore' } },
      ['spec.drainOptions.onTimeout: Unsupported value: "Ignore": supported values: "Fail", "Delete", "Proceed"'],
    ],
    [
      'a negative drain timeout',
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
      'a preflight of both kinds',
      { ...ok, preflight: { command: ['a'], release: {} } },
      ['spec.preflight.release: Forbidden: may not be given when command is given'],
    ],
    [
      'a preflight with an empty command',
      { ...ok, preflight: { command: [] } },
      ['spec.preflight.command: Invalid value: []: must have at least 1 item'],
    ],
    [
      'an unsupported boot state',
      { ...ok, verify: { bootState: 'passive' } },
      ['spec.verify.bootState: Unsupported value: "passive": supported values: "active"'],
    ],
    ['null as spec', null, ['spec: Invalid value: null: must be an object']],
    ['a list as spec', [ok], ['spec: Invalid value: [{"command":["true"]}]: must be an object']],
    [
      'a string as pull secret',
      { ...ok, imagePullSecrets: ['registry'] },
      ['spec.imagePullSecrets[0]: Invalid value: "registry": must be an object'],
    ],
    [
      'a pull secret in place of a list',
      { ...ok, imagePullSecrets: { name: 'a' } },
      ['spec.imagePullSecrets: Invalid value: {"name":"a"}: must be a list'],
    ],
    [
      'a grace period as string',
      { ...ok, drainOptions: { gracePeriodSeconds: '30s' } },
      ['spec.drainOptions.gracePeriodSeconds: Invalid value: "30s": must be a number'],
    ],
    [
      'a drain enabled by a string',
      { ...ok, drainOptions: { enabled: 'true' } },
      ['spec.drainOptions.enabled: Invalid value: "true": must be a boolean'],
    ],
    ['a pause by a number', { ...ok, paused: 1 }, ['spec.paused: Invalid value: 1: must be a boolean']],
    [
      'a reboot timeout of zero',
      { ...ok, rebootTimeoutSeconds: 0 },
      ['spec.rebootTimeoutSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'a negative Job lifetime',
      { ...ok, ttlSecondsAfterFinished: -1 },
      ['spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'a preflight deadline of zero',
      { ...ok, preflight: { command: ['a'], activeDeadlineSeconds: 0 } },
      ['spec.preflight.activeDeadlineSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'a string as selector',
      { ...ok, nodeSelector: 'kairos.io/managed=true' },
      ['spec.nodeSelector: Invalid value: "kairos.io/managed=true": must be an object'],
    ],
    [
      'a mount path with a colon',
      { ...ok, hostMountPath: '/host:ro' },
      ['spec.hostMountPath: Invalid value: "/host:ro": must be an absolute path other than /, without ":"'],
    ],
  ])('is reported by both webhooks for %s', (_title, spec, faults) => {
    expect(faultsIn(validate(request({ spec })))).toEqual(faults);
    expect(faultsIn(mutate(request({ spec })))).toEqual(faults);
  });
});

test.each(['101%', '3', '-5%', 'all', '%'])('a NodeOp with the concurrency "%s" is rejected', concurrency => {
  const [fault, ...more] = faultsIn(validate(request({ spec: { ...ok, concurrency } })));
  expect(fault).toMatch(`spec.concurrency: Invalid value: "${concurrency}": must `);
  expect(more).toEqual([]);
});

describe('a rejected NodeOpUpgrade', () => {
  test.each<[string, unknown, string[]]>([
    ['no image', {}, ['spec.image: Required value']],
    ['an empty image', { image: '' }, ['spec.image: Invalid value: "": must have at least 1 character']],
    [
      'nothing to upgrade',
      { image: 'a', upgradeActive: false },
      [
        'spec.upgradeRecovery: Invalid value: false: must be true when upgradeActive is false, otherwise there is nothing to upgrade',
      ],
    ],
    [
      'an unknown guard',
      { image: 'a', allow: ['Architecture', 'Everything'] },
      [
        'spec.allow[1]: Unsupported value: "Everything": supported values: "Architecture", "TrustedBoot", "KubernetesSkew", "FallenBack", "Downgrade", "NotKairos"',
      ],
    ],
    [
      'a string as paths',
      { image: 'a', excludePaths: '/etc' },
      ['spec.excludePaths: Invalid value: "/etc": must be a list'],
    ],
    [
      'a deadline of zero',
      { image: 'a', activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'a number as path',
      { image: 'a', excludePaths: [1] },
      ['spec.excludePaths[0]: Invalid value: 1: must be a string'],
    ],
    ['a string as force', { image: 'a', force: 'yes' }, ['spec.force: Invalid value: "yes": must be a boolean']],
    ['a list as image', { image: ['a'] }, ['spec.image: Invalid value: ["a"]: must be a string']],
    [
      'a guard in place of a list',
      { image: 'a', allow: 'Architecture' },
      ['spec.allow: Invalid value: "Architecture": must be a list'],
    ],
    [
      'a concurrency of more than 100%',
      { image: 'a', concurrency: '150%' },
      ['spec.concurrency: Invalid value: "150%": must be a percentage such as "25%"'],
    ],
  ])('is reported for %s', (_title, spec, faults) =>
    expect(faultsIn(validate(request({ kind: 'NodeOpUpgrade', spec })))).toEqual(faults),
  );
});

describe('a rejection with several faults', () => {
  const spec = {
    concurrency: -1,
    drainOptions: { timeoutSeconds: 'long' },
    preflight: { image: 'a' },
    nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] },
  };
  const answer = validate(request({ spec }));

  test('contains type faults and faults across fields', () =>
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

  test('has the message format of the API server', () =>
    expect(denialOf(validate(request({ spec: { concurrency: -1 } })))?.message).toBe(
      `NodeOp.operator.kairos.io "x" is invalid: [spec.concurrency: Invalid value: -1: must be greater than or equal to 0, spec.command: Required value]`,
    ));

  test('has no brackets around a single fault', () =>
    expect(denialOf(validate(request({ spec: {} })))?.message).toBe(
      'NodeOp.operator.kairos.io "x" is invalid: spec.command: Required value',
    ));

  test('has the code, reason and causes of an invalid object', () => {
    const denial = denialOf(validate(request({ spec: {} })));
    expect(denial).toMatchObject({ code: 422, reason: 'Invalid', details: { name: 'x', kind: 'NodeOp' } });
    expect(denial?.details.causes).toEqual([
      { field: 'spec.command', message: 'Required value', reason: 'FieldValueRequired' },
    ]);
  });

  test('uses generateName when the object has no name yet', () => {
    const asked = { ...request({ spec: {}, metadata: { name: undefined, generateName: 'os-' } }), name: '' };
    expect(denialOf(mutate(asked))?.message).toContain('NodeOp.operator.kairos.io "os-" is invalid');
  });

  test('truncates a huge value in the message', () => {
    const message = denialOf(validate(request({ spec: { command: 'x'.repeat(5000) } })))?.message ?? '';
    expect(message.length).toBeLessThan(400);
  });
});

describe('an accepted object', () => {
  test.each<[string, unknown]>([
    ['a command alone', ok],
    ['a percentage', { ...ok, concurrency: '25%' }],
    ['a negative grace period, which means that of the pod', { ...ok, drainOptions: { gracePeriodSeconds: -1 } }],
    ['a preflight by command', { ...ok, preflight: { command: ['true'] } }],
    ['a preflight by release', { ...ok, preflight: { release: { version: 'v3' } } }],
    ['an empty selector', { ...ok, nodeSelector: {} }],
    ['an unknown field', { ...ok, colour: 'blue' }],
  ])('can be a NodeOp with %s', (_title, spec) => expect(faultsIn(validate(request({ spec })))).toEqual([]));

  test.each<[string, unknown]>([
    ['an image alone', { image: 'a' }],
    ['recovery alone', { image: 'a', upgradeActive: false, upgradeRecovery: true }],
  ])('can be an upgrade with %s', (_title, spec) =>
    expect(faultsIn(validate(request({ kind: 'NodeOpUpgrade', spec })))).toEqual([]),
  );

  test('can be of another kind, a subresource or a deletion', () => {
    const other = request({ spec: {} });
    expect(validate({ ...other, kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }).response.allowed).toBe(
      true,
    );
    expect(validate(request({ spec: {}, subResource: 'status', before: {} })).response.allowed).toBe(true);
    expect(validate({ ...other, operation: 'DELETE', object: null }).response.allowed).toBe(true);
    expect(mutate({ ...other, operation: 'DELETE', object: null }).response).toEqual({ uid: other.uid, allowed: true });
  });
});
