import { describe, expect, test } from '@jest/globals';
import { checkRelease, type HostFacts } from '../../agent/release-check.js';
import type { CheckAnswer, Operation, ReleaseCheck } from '../../api/node-agent.js';

const CURRENT = 'v3.5.0-k3sv1.34.1+k3s1';
const release = {
  version: 'v3.5.0',
  softwareVersionPrefix: 'k3s',
  softwareVersion: 'v1.34.1+k3s1',
  arch: 'amd64',
  trustedBoot: false,
};
const host = (more: Partial<HostFacts> = {}): HostFacts => ({ release, state: 'active', ...more });
const question = (more: Partial<ReleaseCheck> = {}, kubernetesCeiling?: string): NonNullable<Operation['check']> => ({
  release: { version: 'v3.6.0-k3sv1.35.0+k3s1', skipIfCurrent: true, ...more },
  kubernetesCeiling,
});
const fellBack = { version: 'v3.6.0-k3sv1.35.0+k3s1', at: '2026-01-01T00:00:00Z' };

type Verdict = CheckAnswer['verdict'];

describe('the verdict', () => {
  const rows: [string, NonNullable<Operation['check']>, HostFacts, Verdict][] = [
    ['another version', question(), host(), 'Proceed'],
    ['the same version, active', question({ version: CURRENT }), host(), 'Skip'],
    ['the same version, boot state unknown', question({ version: CURRENT }), host({ state: 'unknown' }), 'Skip'],
    ['the same version from passive', question({ version: CURRENT }), host({ state: 'passive' }), 'Proceed'],
    ['the same version from recovery', question({ version: CURRENT }), host({ state: 'recovery' }), 'Proceed'],
    ['the same version without skipIfCurrent', question({ version: CURRENT, skipIfCurrent: false }), host(), 'Proceed'],
    ['an unknown target', question({ version: undefined }), host(), 'Proceed'],
    ['an unknown host', question({ version: CURRENT }), host({ release: undefined }), 'Proceed'],
    ['target and host both unknown', question({ version: undefined }), host({ release: undefined }), 'Proceed'],
    ['a triple that differs in part', question({ version: 'v3.5.0' }), host(), 'Proceed'],
    ['same architecture', question({ arch: 'amd64' }), host(), 'Proceed'],
    ['other architecture', question({ arch: 'arm64' }), host(), 'Refuse'],
    ['other architecture, allowed', question({ arch: 'arm64', allow: ['Architecture'] }), host(), 'Proceed'],
    ['architecture of the host unknown', question({ arch: 'arm64' }), host({ release: {} }), 'Proceed'],
    ['trusted boot in the image only', question({ trustedBoot: true }), host(), 'Refuse'],
    [
      'trusted boot on the host only',
      question({ trustedBoot: false }),
      host({ release: { trustedBoot: true } }),
      'Refuse',
    ],
    ['trusted boot differs, allowed', question({ trustedBoot: true, allow: ['TrustedBoot'] }), host(), 'Proceed'],
    ['trusted boot of the image unknown', question(), host({ release: { trustedBoot: true } }), 'Proceed'],
    ['Kubernetes above the ceiling', question({ kubernetesMinor: '1.35' }, '1.34'), host(), 'Refuse'],
    ['Kubernetes of the next major above it', question({ kubernetesMinor: '2.0' }, '1.34'), host(), 'Refuse'],
    ['Kubernetes at the ceiling', question({ kubernetesMinor: '1.34' }, '1.34'), host(), 'Proceed'],
    ['Kubernetes 1.9 is below 1.34', question({ kubernetesMinor: '1.9' }, '1.34'), host(), 'Proceed'],
    ['Kubernetes without a ceiling, as on a control plane', question({ kubernetesMinor: '1.35' }), host(), 'Proceed'],
    ['Kubernetes unknown', question({}, '1.34'), host(), 'Proceed'],
    ['Kubernetes unreadable', question({ kubernetesMinor: 'new' }, '1.34'), host(), 'Proceed'],
    ['Kubernetes allowed', question({ kubernetesMinor: '1.35', allow: ['KubernetesSkew'] }, '1.34'), host(), 'Proceed'],
    ['a target it fell back from', question(), host({ fellBack }), 'Refuse'],
    ['a target it fell back from, allowed', question({ allow: ['FallenBack'] }), host({ fellBack }), 'Proceed'],
    [
      'another image of the version it fell back from',
      question({ digest: 'sha256:b' }),
      host({ fellBack: { ...fellBack, digest: 'sha256:a' } }),
      'Proceed',
    ],
    [
      'the same image that it fell back from',
      question({ digest: 'sha256:a' }),
      host({ fellBack: { ...fellBack, digest: 'sha256:a' } }),
      'Refuse',
    ],
    ['a fallback from another target', question(), host({ fellBack: { ...fellBack, version: 'v3.4.0' } }), 'Proceed'],
    [
      'an unknown target after a fallback from an unknown one',
      question({ version: undefined }),
      host({ fellBack: { at: '' } }),
      'Proceed',
    ],
    ['a host that is not Kairos', question(), host({ release: undefined, state: 'unknown' }), 'Refuse'],
    [
      'a host that is not Kairos and a target without a version',
      question({ version: undefined }),
      host({ release: undefined, state: 'unknown' }),
      'Refuse',
    ],
    [
      'a host that is not Kairos, allowed',
      question({ allow: ['NotKairos'] }),
      host({ release: undefined, state: 'unknown' }),
      'Proceed',
    ],
    [
      'a host whose release files cannot be read',
      question(),
      host({ release: undefined, identityUnknown: true, state: 'unknown' }),
      'Proceed',
    ],
    ['a Kairos host with an unknown boot state', question(), host({ state: 'unknown' }), 'Proceed'],
    ['a live medium', question(), host({ state: 'livecd' }), 'Refuse'],
    ['a live medium of the same version', question({ version: CURRENT }), host({ state: 'livecd' }), 'Refuse'],
    ['a live medium without a release', question(), host({ release: undefined, state: 'livecd' }), 'Refuse'],
    ['a live medium, allowed', question({ allow: ['NotKairos'] }), host({ state: 'livecd' }), 'Proceed'],
    ['an older version', question({ version: 'v3.4.9-k3sv1.34.1+k3s1' }), host(), 'Refuse'],
    ['an older version, allowed', question({ version: 'v3.4.9', allow: ['Downgrade'] }), host(), 'Proceed'],
    ['the same version with older software', question({ version: 'v3.5.0-k3sv1.33.9+k3s1' }), host(), 'Refuse'],
    [
      'a newer version with an older minor of its software',
      question({ version: 'v3.6.0-k3sv1.33.9+k3s1' }),
      host(),
      'Refuse',
    ],
    [
      'a newer version with an older patch of its software',
      question({ version: 'v3.6.0-k3sv1.34.0+k3s1' }),
      host(),
      'Proceed',
    ],
    [
      'a newer version with an older minor of its software, allowed',
      question({ version: 'v3.6.0-k3sv1.33.9+k3s1', allow: ['Downgrade'] }),
      host(),
      'Proceed',
    ],
    ['the same version with newer software', question({ version: 'v3.5.0-k3sv1.35.0+k3s1' }), host(), 'Proceed'],
    ['the same version with other software', question({ version: 'v3.5.0-k0sv1.33.9' }), host(), 'Proceed'],
    [
      'a release candidate of the version that runs',
      question({ version: 'v3.5.0-rc2-k3sv1.34.1+k3s1' }),
      host(),
      'Refuse',
    ],
    [
      'the release of the candidate that runs',
      question({ version: 'v3.5.0-k3sv1.34.1+k3s1' }),
      host({ release: { ...release, version: 'v3.5.0-rc2' } }),
      'Proceed',
    ],
    [
      'a later candidate',
      question({ version: 'v3.5.0-rc10-k3sv1.34.1+k3s1' }),
      host({ release: { ...release, version: 'v3.5.0-rc2' } }),
      'Proceed',
    ],
    [
      'an earlier kind of pre-release',
      question({ version: 'v3.5.0-beta.7-k3sv1.34.1+k3s1' }),
      host({ release: { ...release, version: 'v3.5.0-rc2' } }),
      'Refuse',
    ],
    [
      'a development build of the same version',
      question({ version: 'v3.5.0-12-gabcdef-k3sv1.34.1+k3s1' }),
      host(),
      'Proceed',
    ],
    ['a version that is older only alphabetically', question({ version: 'v3.10.0-k3sv1.34.1' }), host(), 'Proceed'],
    ['another guard than the allowed one', question({ arch: 'arm64', allow: ['TrustedBoot'] }), host(), 'Refuse'],
  ];
  test.each(rows.map(([situation, asked, facts, verdict]) => ({ situation, asked, facts, verdict })))(
    'is $verdict for $situation',
    ({ asked, facts, verdict }) => expect(checkRelease(asked, facts).verdict).toBe(verdict),
  );

  test.each<[string, Partial<ReleaseCheck>, string[]]>([
    ['a newer version: none', {}, []],
    ['unknown values: none', { version: undefined, flavor: undefined }, []],
    [
      'an older version',
      { version: 'v3.4.9-k3sv1.34.1+k3s1', allow: ['Downgrade'] },
      [`downgrade: the image has v3.4.9-k3sv1.34.1+k3s1, the node ${CURRENT}`],
    ],
    ['a version that is older only alphabetically: none', { version: 'v3.10.0-k3sv1.34.1+k3s1' }, []],
    ['a version without numbers: none', { version: 'nightly' }, []],
    ['another flavor', { flavor: 'alpine' }, ['the image has flavor alpine, the node debian']],
    ['another model', { model: 'rpi4' }, ['the image has model rpi4, the node generic']],
  ])('has warnings for %s', (_sentence, overrides, warnings) => {
    const facts = host({ release: { ...release, flavor: 'debian', model: 'generic' } });
    expect(checkRelease(question(overrides), facts)).toEqual(
      warnings.length > 0 ? { verdict: 'Proceed', warnings } : { verdict: 'Proceed' },
    );
  });

  test('has the documented message for Skip', () => {
    expect(checkRelease(question({ version: CURRENT }), host()).message).toBe(`node is already at ${CURRENT}`);
  });
  test.each<[string, HostFacts, string]>([
    ['a host that is not Kairos', { state: 'unknown' }, 'the node is not a Kairos node'],
    ['a live medium', host({ state: 'livecd' }), 'the node runs from a live medium, no system is installed on it'],
  ])('has the reason NotKairos for %s', (_sentence, facts, why) => {
    expect(checkRelease(question(), facts)).toEqual({
      verdict: 'Refuse',
      reason: 'NotKairos',
      message: `${why}; add NotKairos to spec.allow to override`,
    });
  });
  test('names the guard of a refusal as spec.allow spells it', () => {
    expect(checkRelease(question({ arch: 'arm64' }), host())).toEqual({
      verdict: 'Refuse',
      reason: 'Architecture',
      message: 'the image is for arm64, the node is amd64; add Architecture to spec.allow to override',
    });
  });
});
