import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { probeName, probePod, PROBE_SCRIPT } from '../../../controller/upgrade/probe-pod.js';
import { IMAGE, RELEASE, spec, upgrade } from './samples.js';

const place = { arch: 'arm64', node: 'n1' };

describe('the Pod that reads an image', () => {
  const pod = probePod(upgrade().metadata, spec({ imagePullSecrets: [{ name: 'registry' }] }), place);

  test('belongs to the upgrade and says what it is for', () => {
    expect(pod.metadata).toMatchObject({
      namespace: 'default',
      labels: { 'operator.kairos.io/probe': 'arm64' },
      ownerReferences: [{ kind: 'NodeOpUpgrade', uid: 'uid-of-upgrade', controller: true }],
    });
  });

  test('runs once on this node, whatever its taints, with the pull secrets of the user', () => {
    expect(pod.spec).toMatchObject({
      nodeName: 'n1',
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      imagePullSecrets: [{ name: 'registry' }],
    });
    expect(pod.spec.containers).toMatchObject([{ name: 'probe', image: IMAGE }]);
  });

  test.each([
    ['a tag is looked up anew, for it may have moved', IMAGE, place, 'Always'],
    ['a digest is what it is', `${IMAGE}@sha256:${'0'.repeat(64)}`, place, 'IfNotPresent'],
    ['a name of no registry is not looked up', 'localhost/kairos:1', place, 'IfNotPresent'],
    ['the copy of a node is not looked up', IMAGE, { ...place, copy: true as const }, 'Never'],
  ])('%s', (_sentence, image, at, policy) => {
    const [container] = probePod(upgrade().metadata, spec({ image }), at).spec.containers;
    expect(container).toMatchObject({ image, imagePullPolicy: policy });
  });

  test('sees nothing of the host and may do nothing', () => {
    expect(pod.spec).not.toHaveProperty('volumes');
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    expect(pod.spec.containers[0]?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('has all that a namespace asks for that enforces `restricted`', () => {
    expect(pod.spec.containers[0]?.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: expect.any(Number),
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.spec.containers[0]?.securityContext.runAsUser).toBeGreaterThan(0);
  });

  test('has another name for another image, node or upgrade, and always a legal one', () => {
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

describe('the script in it', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'probe-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const says = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const script = PROBE_SCRIPT.replaceAll('/etc/', `${folder}/`);
    execFileSync('sh', ['-c', script], { env: { TERMINATION_LOG: join(folder, 'log') } });
    return readFileSync(join(folder, 'log'), 'utf8');
  };

  test('tells the wanted keys of kairos-release', () => {
    expect(says({ 'kairos-release': `ID=x\n${RELEASE}KAIROS_BUG_REPORT_URL=y\n` })).toBe(RELEASE);
  });

  test('takes os-release where kairos-release says nothing', () => {
    expect(says({ 'kairos-release': 'ID=x\n', 'os-release': RELEASE })).toBe(RELEASE);
  });

  test('takes kairos-release alone where both say something', () => {
    expect(says({ 'kairos-release': 'KAIROS_VERSION=v2\n', 'os-release': 'KAIROS_VERSION=v1\n' })).toBe(
      'KAIROS_VERSION=v2\n',
    );
  });

  test('reads a last line without an end, and keeps backslashes', () => {
    expect(says({ 'kairos-release': 'export KAIROS_NAME="a\\"b"' })).toBe('KAIROS_NAME="a\\"b"\n');
  });

  test('says nothing of another system, and does not fail', () => {
    expect(says({ 'os-release': 'ID=debian\n' })).toBe('');
    expect(says({})).toBe('');
  });
});
