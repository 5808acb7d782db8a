/** Random specs: for every field some valid and some invalid values. */
import * as fc from 'fast-check';
import { always, field, flag, of, type Spec, spec, text, texts } from './draws.js';

const seconds = (least: number) =>
  field(of(least, 1, 60, 2147483647), of(least - 1, -1, 1.5, 2147483648, -2147483649, 1e20, '5', true, [], {}));
const key = of('a', 'kairos.io/managed', 'A_b.c-d', 'x'.repeat(63), `${'a'.repeat(63)}.b/c`);
const invalidKey = of('', '-a', 'a-', 'a b', 'x'.repeat(64), '/a', 'a/', 'A.b/c', 'a/b/c', 'ä', 'a\n', 7);
const value = of('', 'a', 'true', 'A_b.c-d', '0', 'x'.repeat(63));
const invalidValue = of('-', 'a b', 'x'.repeat(64), 'a-', 'ä', 'a\n', 5, true, null);
const requirement = spec({
  key: always(key, invalidKey),
  operator: always(of('In', 'NotIn', 'Exists', 'DoesNotExist'), of('in', '', 'Gt', 3)),
  values: field(fc.array(value, { maxLength: 2 }), fc.array(invalidValue, { minLength: 1, maxLength: 2 })),
});
const labels = fc
  .dictionary(key as fc.Arbitrary<string>, always(value, invalidValue), { maxKeys: 2 })
  .map(drawn => JSON.parse(JSON.stringify(drawn)) as unknown);
const selector = field(
  spec({
    matchLabels: field(labels, of('a', [], 5)),
    matchExpressions: field(fc.array(requirement, { maxLength: 2 }), of('a', {}, [5])),
  }),
  of('a', [], 5),
);
const percent = of('1%', '25%', '100%', '0%', '99%');
const drain = field(
  spec({
    enabled: flag,
    force: flag,
    ignoreDaemonSets: flag,
    deleteEmptyDirData: flag,
    gracePeriodSeconds: field(of(-1, 0, 30, -2147483648), of(2147483648, 0.5, '5')),
    timeoutSeconds: seconds(0),
    onTimeout: field(of('Fail', 'Delete', 'Proceed'), of('fail', '', 1)),
  }),
  of([], 'on', true),
);

const common = {
  nodeSelector: selector,
  imagePullSecrets: field(
    fc.array(spec({ name: always(of('a', 'a b', '.'), of('', 5)) }), { maxLength: 2 }),
    of('a', {}, ['a'], [null]),
  ),
  concurrency: field(
    fc.oneof(of(0, 1, 2147483647), percent),
    of(-1, 0.5, 2147483648, 1e20, '', '0', '101%', '007%', '5 %', '5%\n', 'all', true, [], {}),
  ),
  stopOnFailure: flag,
  uncordonOnFailure: flag,
  paused: flag,
  backoffLimit: seconds(0),
  pullDeadlineSeconds: seconds(1),
  startDeadlineSeconds: seconds(1),
  rebootTimeoutSeconds: seconds(1),
  verifyTimeoutSeconds: seconds(1),
  ttlSecondsAfterFinished: seconds(0),
  activeDeadlineSeconds: seconds(1),
  settleSeconds: seconds(0),
  prePull: flag,
  drainOptions: drain,
  novelty: field(text, of(null, 1)),
};

const release = spec({
  version: field(text, of(5, null)),
  arch: field(text, of([], null)),
  trustedBoot: flag,
  skipIfCurrent: flag,
  allow: texts,
  kubernetesMinor: field(text, of(1.34)),
});

/** Random specs of a NodeOp. */
export const nodeOpSpecs: fc.Arbitrary<Spec> = spec({
  ...common,
  command: always(fc.array(text, { minLength: 1, maxLength: 3 }), of([], 'a', null, {}, [5], [null])),
  image: field(text, of(5, null, [])),
  hostMountPath: field(
    of('/host', '/.hidden', '//a', '/a/../b', '/ä', '/a\r', '/a b'),
    of('', '/', '//', '/.', '/..', '///..', 'host', '/a:b', ':/a', '\n/a', 5),
  ),
  cordon: flag,
  rebootOnSuccess: flag,
  preflight: field(
    spec({
      command: field(fc.array(text, { minLength: 1, maxLength: 2 }), of([], 'a', null)),
      image: field(text, of(5)),
      activeDeadlineSeconds: seconds(1),
      release: field(release, of('a', [], null)),
    }),
    of('a', [], null),
  ),
  verify: field(
    spec({ version: field(text, of(5)), bootState: field(of('active'), of('passive', '', 1)) }),
    of('a', []),
  ),
});

/** Random specs of a NodeOpUpgrade. */
export const upgradeSpecs: fc.Arbitrary<Spec> = spec({
  ...common,
  image: always(of('a', 'quay.io/kairos/x:v1', ' '), of('', 5, null)),
  upgradeActive: flag,
  upgradeRecovery: flag,
  force: flag,
  debug: flag,
  excludePaths: texts,
  allow: field(
    fc.array(of('Architecture', 'TrustedBoot', 'KubernetesSkew', 'FallenBack', 'NotKairos'), { maxLength: 3 }),
    of(['All'], 'Architecture', {}, [1]),
  ),
});
