import { describe, expect, test } from '@jest/globals';
import { checkAnswer, type HostView } from '../../agent/preflight.js';
import type { Operation, ReleaseCheck } from '../../api/node-agent.js';

const CURRENT = 'v3.5.0-k3sv1.34.1+k3s1';
const release = {
  version: 'v3.5.0',
  softwareVersionPrefix: 'k3s',
  softwareVersion: 'v1.34.1+k3s1',
  arch: 'amd64',
  trustedBoot: false,
};
const host = (more: Partial<HostView> = {}): HostView => ({ release, state: 'active', ...more });
const ask = (more: Partial<ReleaseCheck> = {}, kubernetesCeiling?: string): NonNullable<Operation['check']> => ({
  release: { version: 'v3.6.0-k3sv1.35.0+k3s1', skipIfCurrent: true, ...more },
  kubernetesCeiling,
});
const fell = { version: 'v3.6.0-k3sv1.35.0+k3s1', at: '2026-01-01T00:00:00Z' };

describe('the verdict', () => {
  test.each([
    ['another version', ask(), host(), 'Proceed'],
    ['the same version, active', ask({ version: CURRENT }), host(), 'Skip'],
    ['the same version, nobody knows from where', ask({ version: CURRENT }), host({ state: 'unknown' }), 'Skip'],
    ['the same version, but passive', ask({ version: CURRENT }), host({ state: 'passive' }), 'Proceed'],
    ['the same version, but recovery', ask({ version: CURRENT }), host({ state: 'recovery' }), 'Proceed'],
    ['the same version, but not to be skipped', ask({ version: CURRENT, skipIfCurrent: false }), host(), 'Proceed'],
    ['unknown target', ask({ version: undefined }), host(), 'Proceed'],
    ['unknown host', ask({ version: CURRENT }), host({ release: undefined }), 'Proceed'],
    ['both unknown are not the same', ask({ version: undefined }), host({ release: undefined }), 'Proceed'],
    ['a part of the triple differs', ask({ version: 'v3.5.0' }), host(), 'Proceed'],
    ['same architecture', ask({ arch: 'amd64' }), host(), 'Proceed'],
    ['other architecture', ask({ arch: 'arm64' }), host(), 'Refuse'],
    ['other architecture, allowed', ask({ arch: 'arm64', allow: ['Architecture'] }), host(), 'Proceed'],
    ['architecture of the host unknown', ask({ arch: 'arm64' }), host({ release: {} }), 'Proceed'],
    ['trusted boot in the image only', ask({ trustedBoot: true }), host(), 'Refuse'],
    ['trusted boot on the host only', ask({ trustedBoot: false }), host({ release: { trustedBoot: true } }), 'Refuse'],
    ['trusted boot differs, allowed', ask({ trustedBoot: true, allow: ['TrustedBoot'] }), host(), 'Proceed'],
    ['trusted boot of the image unknown', ask(), host({ release: { trustedBoot: true } }), 'Proceed'],
    ['Kubernetes above the ceiling', ask({ kubernetesMinor: '1.35' }, '1.34'), host(), 'Refuse'],
    ['Kubernetes of the next major above it', ask({ kubernetesMinor: '2.0' }, '1.34'), host(), 'Refuse'],
    ['Kubernetes at the ceiling', ask({ kubernetesMinor: '1.34' }, '1.34'), host(), 'Proceed'],
    ['Kubernetes 1.9 is below 1.34', ask({ kubernetesMinor: '1.9' }, '1.34'), host(), 'Proceed'],
    ['no ceiling: a control plane', ask({ kubernetesMinor: '1.35' }), host(), 'Proceed'],
    ['Kubernetes unknown', ask({}, '1.34'), host(), 'Proceed'],
    ['Kubernetes unreadable', ask({ kubernetesMinor: 'new' }, '1.34'), host(), 'Proceed'],
    ['Kubernetes allowed', ask({ kubernetesMinor: '1.35', allow: ['KubernetesSkew'] }, '1.34'), host(), 'Proceed'],
    ['a target it fell back from', ask(), host({ fellBack: fell }), 'Refuse'],
    ['the same, allowed', ask({ allow: ['FallenBack'] }), host({ fellBack: fell }), 'Proceed'],
    [
      'another image of the version it fell back from',
      ask({ digest: 'sha256:b' }),
      host({ fellBack: { ...fell, digest: 'sha256:a' } }),
      'Proceed',
    ],
    [
      'the very image it fell back from',
      ask({ digest: 'sha256:a' }),
      host({ fellBack: { ...fell, digest: 'sha256:a' } }),
      'Refuse',
    ],
    ['fell back from another one', ask(), host({ fellBack: { ...fell, version: 'v3.4.0' } }), 'Proceed'],
    [
      'an unknown target is not the unknown one it fell from',
      ask({ version: undefined }),
      host({ fellBack: { at: '' } }),
      'Proceed',
    ],
    ['allowing one guard leaves the others', ask({ arch: 'arm64', allow: ['TrustedBoot'] }), host(), 'Refuse'],
  ])('%s', (_sentence, question, seen, verdict) => expect(checkAnswer(question, seen).verdict).toBe(verdict));

  test.each<[string, Partial<ReleaseCheck>, string[]]>([
    ['nothing of a newer system', {}, []],
    ['nothing of what is unknown', { version: undefined, flavor: undefined }, []],
    [
      'an older one',
      { version: 'v3.4.9-k3sv1.34.1+k3s1' },
      [`downgrade: the image has v3.4.9-k3sv1.34.1+k3s1, the node ${CURRENT}`],
    ],
    ['an older one by number, not by letter', { version: 'v3.10.0-k3sv1.34.1+k3s1' }, []],
    ['nothing of a version without numbers', { version: 'nightly' }, []],
    ['another flavor', { flavor: 'alpine' }, ['the image has flavor alpine, the node debian']],
    ['another model', { model: 'rpi4' }, ['the image has model rpi4, the node generic']],
  ])('warns of %s', (_sentence, question, warnings) => {
    const seen = host({ release: { ...release, flavor: 'debian', model: 'generic' } });
    expect(checkAnswer(ask(question), seen)).toEqual(
      warnings.length > 0 ? { verdict: 'Proceed', warnings } : { verdict: 'Proceed' },
    );
  });

  test('a skip says what the documents say', () => {
    expect(checkAnswer(ask({ version: CURRENT }), host()).message).toBe(`node is already at ${CURRENT}`);
  });
  test('a refusal names its guard, as it is spelled in allow[]', () => {
    expect(checkAnswer(ask({ arch: 'arm64' }), host())).toEqual({
      verdict: 'Refuse',
      reason: 'Architecture',
      message: 'the image is for arm64, the node is amd64; spec.allow: [Architecture] would let it',
    });
  });
});
