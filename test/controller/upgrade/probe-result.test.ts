import { describe, expect, test } from '@jest/globals';
import type { FirstSeen } from '../../../api/meta.js';
import { probeResult } from '../../../controller/upgrade/probe-result.js';
import { DIGEST, ended, NOW, probe, RELEASE, secondsAgo, spec, waiting } from './samples.js';

const result = (pod: ReturnType<typeof probe>, more = {}, known: FirstSeen[] = []) =>
  probeResult(pod, { spec: spec(more), now: NOW, known });
const NOT_FOUND = 'rpc error: code = NotFound desc = quay.io/kairos/debian:v2: not found';

describe('a probe Pod that has ended', () => {
  test('yields release and digest', () => {
    expect(result(probe({ container: ended(RELEASE) }))).toEqual({
      is: 'read',
      digest: DIGEST,
      release: { version: 'v2', softwareVersion: 'v1.34.4+k3s1', softwareVersionPrefix: 'k3s', arch: 'amd64' },
    });
  });

  test('yields no release for a system that is not Kairos', () => {
    expect(result(probe({ container: ended('') }))).toEqual({ is: 'read', digest: DIGEST, release: undefined });
  });

  test.each([
    [
      'no shell (containerd)',
      {
        state: {
          terminated: {
            exitCode: 128,
            reason: 'StartError',
            message: 'exec: "sh": executable file not found in $PATH: unknown',
          },
        },
      },
    ],
    [
      'no shell (CRI-O)',
      waiting('CreateContainerError', 'executable file `sh` not found: executable file not found in $PATH'),
    ],
    [
      'a shell that only root may run',
      {
        state: { terminated: { exitCode: 128, message: 'exec: "/bin/sh": stat /bin/sh: permission denied: unknown' } },
      },
    ],
    ['a shell without a builtin', ended('', 127)],
  ])('yields no release for an image with %s', (_sentence, container) => {
    expect(result(probe({ container }))).toMatchObject({ is: 'read', release: undefined });
  });

  test.each([
    ['reported by the shell', ended('exec /bin/sh: exec format error', 255)],
    [
      'reported by the container runtime',
      { state: { terminated: { exitCode: 128, message: 'exec: "sh": exec format error' } } },
    ],
  ])('fails for an image of another CPU architecture, %s', (_sentence, container) => {
    expect(result(probe({ container }))).toEqual({
      is: 'failed',
      message: expect.stringMatching(
        /^image "quay.io\/kairos\/debian:v2" is for another CPU than node n1 has: .*exec format error/,
      ),
    });
  });

  test.each([
    ['evicted', { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } }, 'Evicted: low on memory'],
    ['refused by the kubelet', { status: { phase: 'Failed', reason: 'OutOfpods' } }, 'OutOfpods'],
    [
      'killed',
      { container: { state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } } },
      'OOMKilled with exit code 137',
    ],
  ])('is lost if it was %s', (_sentence, traits, cause) => {
    expect(result(probe(traits))).toEqual({ is: 'lost', cause });
  });
});

describe('a probe Pod that waits for its image', () => {
  test('reports the pull', () => {
    expect(result(probe())).toMatchObject({
      is: 'waiting',
      message: 'image "quay.io/kairos/debian:v2" is being pulled on node n1',
    });
  });

  test('reports the pull error of the kubelet', () => {
    const pod = probe({ container: waiting('ErrImagePull', 'connection refused') });
    expect(result(pod)).toMatchObject({ is: 'waiting', message: expect.stringMatching(/n1: connection refused$/) });
  });

  test('fails at once for an invalid image name', () => {
    const pod = probe({ ageSeconds: 1, container: waiting('InvalidImageName', 'couldn\'t parse "A B"') });
    expect(result(pod)).toEqual({
      is: 'failed',
      message: 'image "quay.io/kairos/debian:v2" could not be read on node n1: couldn\'t parse "A B"',
    });
  });

  test.each([
    ['not found', NOT_FOUND],
    ['refused', 'failed to authorize: unexpected status: 401 Unauthorized'],
  ])('fails after three attempts if the registry answers: %s', (_sentence, words) => {
    const container = waiting('ImagePullBackOff', `Back-off pulling image: ErrImagePull: ${words}`);
    const after = (seconds: number) => {
      const refused = { for: 'uid-of-probe-amd64-n1 probe', since: secondsAgo(seconds) };
      return result(probe({ ageSeconds: 500, container }), {}, [refused]);
    };
    expect(result(probe({ ageSeconds: 500, container })).is).toBe('waiting');
    expect(after(29)).toMatchObject({ is: 'waiting', until: new Date(NOW.getTime() + 1000) });
    expect(after(30)).toMatchObject({ is: 'failed', message: expect.stringContaining(words) });
  });

  test('waits until pullDeadlineSeconds if another attempt may succeed', () => {
    const container = waiting('ErrImagePull', 'i/o timeout');
    const at = (ageSeconds: number) => result(probe({ ageSeconds, container }), { pullDeadlineSeconds: 60 }).is;
    expect([at(59), at(60)]).toEqual(['waiting', 'failed']);
  });

  test('is not failed by pullDeadlineSeconds while it runs', () => {
    const pod = probe({ ageSeconds: 5000, container: { state: { running: {} } } });
    expect(result(pod)).toEqual({ is: 'waiting', message: 'reading image "quay.io/kairos/debian:v2" on node n1' });
  });
});

describe('a probe Pod that cannot start', () => {
  const NO_SANDBOX = { status: { conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }] } };
  const wrong = waiting('CreateContainerConfigError', 'secret "x" not found');
  const failing = waiting('CreateContainerError', 'context deadline exceeded');

  test('may be pulling without a sandbox, which the kubelet reports after the pull', () =>
    expect(result(probe({ ...NO_SANDBOX, container: waiting('ContainerCreating'), ageSeconds: 3599 }))).toEqual(
      result(probe({ container: waiting('ContainerCreating'), ageSeconds: 3599 })),
    ));

  test('reports the words of the kubelet, not a pull', () =>
    expect(result(probe({ container: wrong }))).toMatchObject({
      is: 'waiting',
      message:
        'the Pod that reads image "quay.io/kairos/debian:v2" starts on node n1: CreateContainerConfigError: secret "x" not found',
    }));

  test.each<[string, Parameters<typeof probe>[0], number]>([
    ['startDeadlineSeconds when its configuration is wrong', { container: wrong }, 600],
    ['pullDeadlineSeconds after another error, which may have followed a long pull', { container: failing }, 3600],
  ])('is lost after %s', (_title, traits, seconds) => {
    const at = (ageSeconds: number) => result(probe({ ...traits, ageSeconds })).is;
    expect([at(seconds - 1), at(seconds)]).toEqual(['waiting', 'lost']);
  });
});

describe('a probe Pod to which admission added a container', () => {
  const proxy = { name: 'istio-proxy', state: { waiting: { reason: 'InvalidImageName', message: 'no such name' } } };
  const withProxy = (container: object) =>
    probe({ status: { containerStatuses: [proxy, { name: 'probe', ...container }] } });

  test('is read by its own container', () => expect(result(withProxy(ended(RELEASE))).is).toBe('read'));

  test('is not blamed for the image of the other one', () =>
    expect(result(withProxy(waiting('ContainerCreating'))).is).toBe('waiting'));
});
