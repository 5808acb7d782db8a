import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { identify } from '../../../agent/release.js';
import { parseFields } from '../../../api/release-text.js';
import { probeName, probePod, PROBE_SCRIPT } from '../../../controller/upgrade/probe-pod.js';
import { IMAGE, RELEASE, spec, upgrade } from './samples.js';

const place = { arch: 'arm64', node: 'n1' };

describe('the probe Pod', () => {
  const pod = probePod(upgrade().metadata, spec({ imagePullSecrets: [{ name: 'registry' }] }), place);

  test('is owned by the upgrade and labelled with the architecture', () => {
    expect(pod.metadata).toMatchObject({
      namespace: 'default',
      labels: { 'operator.kairos.io/probe': 'arm64' },
      ownerReferences: [{ kind: 'NodeOpUpgrade', uid: 'uid-of-upgrade', controller: true }],
    });
  });

  test('runs once on the given node despite taints, with the pull secrets of the upgrade', () => {
    expect(pod.spec).toMatchObject({
      nodeName: 'n1',
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      imagePullSecrets: [{ name: 'registry' }],
    });
    expect(pod.spec.containers).toMatchObject([{ name: 'probe', image: IMAGE }]);
  });

  test.each([
    ['always pulls a tag, because it may have moved', IMAGE, place, 'Always'],
    ['pulls a digest only if it is not present', `${IMAGE}@sha256:${'0'.repeat(64)}`, place, 'IfNotPresent'],
    ['pulls a localhost image only if it is not present', 'localhost/kairos:1', place, 'IfNotPresent'],
    ['never pulls when it reads the copy of the node', IMAGE, { ...place, copy: true as const }, 'Never'],
  ])('%s', (_sentence, image, at, policy) => {
    const [container] = probePod(upgrade().metadata, spec({ image }), at).spec.containers;
    expect(container).toMatchObject({ image, imagePullPolicy: policy });
  });

  test('has no access to the host and no privileges', () => {
    expect(pod.spec).not.toHaveProperty('volumes');
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    expect(pod.spec.containers[0]?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('meets the Pod Security Standard `restricted`', () => {
    expect(pod.spec.containers[0]?.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: expect.any(Number),
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.spec.containers[0]?.securityContext.runAsUser).toBeGreaterThan(0);
  });

  test('has a valid name that differs by image, node and upgrade', () => {
    const { metadata } = upgrade();
    const names = [
      probeName(metadata, IMAGE, place),
      probeName(metadata, `${IMAGE}-1`, place),
      probeName(metadata, IMAGE, { ...place, node: 'n2' }),
      probeName(metadata, IMAGE, { ...place, copy: true }),
      probeName({ ...metadata, uid: 'another' }, IMAGE, place),
      probeName({ ...metadata, name: 'a.long.name'.repeat(20) }, IMAGE, place),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });
});

describe('the probe script', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'probe-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const outputOf = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const script = PROBE_SCRIPT.replaceAll('/etc/', `${folder}/`);
    execFileSync('sh', ['-c', script], { env: { TERMINATION_LOG: join(folder, 'log') } });
    return readFileSync(join(folder, 'log'), 'utf8');
  };

  test('prints the wanted keys of kairos-release', () => {
    expect(outputOf({ 'kairos-release': `ID=x\n${RELEASE}KAIROS_BUG_REPORT_URL=y\n` })).toBe(RELEASE);
  });

  test('falls back to os-release if there is no wanted key in kairos-release', () => {
    expect(outputOf({ 'kairos-release': 'ID=x\n', 'os-release': RELEASE })).toBe(RELEASE);
  });

  test('reads kairos-release only if both files have wanted keys', () => {
    expect(outputOf({ 'kairos-release': 'KAIROS_VERSION=v2\n', 'os-release': 'KAIROS_VERSION=v1\n' })).toBe(
      'KAIROS_VERSION=v2\n',
    );
  });

  test.each([
    ['empty values', 'KAIROS_VERSION=""\n', 'KAIROS_VERSION=v1\n'],
    ['neither id nor version', 'KAIROS_MODEL=generic\n', 'ID=ubuntu\nKAIROS_ID=kairos\n'],
    ['other keys, although none is identifying', 'KAIROS_MODEL=generic\n', 'KAIROS_FLAVOR=ubuntu\n'],
    ['indented lines', '  KAIROS_VERSION=v2\n', 'KAIROS_VERSION=v1\n'],
    ['another system', 'ID=x\n', 'ID=ubuntu\n'],
    ['a tab after export', 'export\tKAIROS_VERSION=v2\n', 'KAIROS_VERSION=v1\n'],
    ['several spaces after export', '  export   KAIROS_VERSION="v2"\n', 'KAIROS_VERSION=v1\n'],
    ['a byte order mark', '\uFEFFKAIROS_VERSION=v2\n', 'KAIROS_VERSION=v1\n'],
    ['Windows line ends', "KAIROS_ID='kairos'\r\nKAIROS_VERSION=v2\r\n", 'KAIROS_VERSION=v1\n'],
    ['a word that begins with export', 'exportKAIROS_VERSION=v2\n', 'KAIROS_VERSION=v1\n'],
  ])(
    'chooses the same file as the agent of a host, with %s in kairos-release',
    (_sentence, kairosRelease, osRelease) => {
      const printed = outputOf({ 'kairos-release': kairosRelease, 'os-release': osRelease });
      expect(parseFields(printed)).toEqual(
        Object.fromEntries(
          Object.entries(identify({ kairosRelease, osRelease })?.fields ?? {}).map(([key, value]) => [
            `KAIROS_${key}`,
            value,
          ]),
        ),
      );
    },
  );

  test('reads a last line without a newline and keeps backslashes', () => {
    expect(outputOf({ 'kairos-release': 'export KAIROS_NAME="a\\"b"' })).toBe('KAIROS_NAME="a\\"b"\n');
  });

  test('prints nothing and exits 0 for another system', () => {
    expect(outputOf({ 'os-release': 'ID=debian\n' })).toBe('');
    expect(outputOf({})).toBe('');
  });
});
