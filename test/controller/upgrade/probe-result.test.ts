import { describe, expect, test } from '@jest/globals';
import { probeResult } from '../../../controller/upgrade/probe-result.js';
import { DIGEST, ended, NOW, probe, RELEASE, secondsAgo, spec, waiting } from './samples.js';

const result = (pod: ReturnType<typeof probe>, more = {}) => probeResult(pod, { spec: spec(more), now: NOW });
const NOT_FOUND = 'rpc error: code = NotFound desc = quay.io/kairos/debian:v2: not found';

describe('a probe that has ended', () => {
  test('tells release and digest', () => {
    expect(result(probe({ container: ended(RELEASE) }))).toEqual({
      is: 'read',
      digest: DIGEST,
      release: { version: 'v2', softwareVersion: 'v1.34.4+k3s1', softwareVersionPrefix: 'k3s', arch: 'amd64' },
    });
  });

  test('knows nothing of a system that is not Kairos', () => {
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
      'a shell for root alone',
      {
        state: { terminated: { exitCode: 128, message: 'exec: "/bin/sh": stat /bin/sh: permission denied: unknown' } },
      },
    ],
    ['a shell that lacks a word', ended('', 127)],
  ])('goes on without knowing: %s', (_sentence, container) => {
    expect(result(probe({ container }))).toMatchObject({ is: 'read', release: undefined });
  });

  test.each([
    ['said by the shell', ended('exec /bin/sh: exec format error', 255)],
    ['said by the runtime', { state: { terminated: { exitCode: 128, message: 'exec: "sh": exec format error' } } }],
  ])('fails on an image for another CPU, %s', (_sentence, container) => {
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
  ])('is lost when it was %s', (_sentence, nodeOp, why) => {
    expect(result(probe(nodeOp))).toEqual({ is: 'lost', cause: why });
  });
});

describe('a probe that waits for its image', () => {
  test('says so', () => {
    expect(result(probe())).toMatchObject({
      is: 'waiting',
      message: 'image "quay.io/kairos/debian:v2" is being pulled on node n1',
    });
  });

  test("passes on the kubelet's words", () => {
    const pod = probe({ container: waiting('ErrImagePull', 'connection refused') });
    expect(result(pod)).toMatchObject({ is: 'waiting', message: expect.stringMatching(/n1: connection refused$/) });
  });

  test('fails at once on a name that is none', () => {
    const pod = probe({ ageSeconds: 1, container: waiting('InvalidImageName', 'couldn\'t parse "A B"') });
    expect(result(pod)).toEqual({
      is: 'failed',
      message: 'image "quay.io/kairos/debian:v2" could not be read on node n1: couldn\'t parse "A B"',
    });
  });

  test.each([
    ['not found', NOT_FOUND],
    ['refused', 'failed to authorize: unexpected status: 401 Unauthorized'],
    ['no such registry', 'dial tcp: lookup quay.example: no such host'],
  ])('gives a lasting answer three tries: %s', (_sentence, words) => {
    const container = waiting('ImagePullBackOff', `Back-off pulling image: ErrImagePull: ${words}`);
    expect(result(probe({ ageSeconds: 29, container }))).toMatchObject({
      is: 'waiting',
      until: new Date(NOW.getTime() + 1000),
    });
    expect(result(probe({ ageSeconds: 30, container }))).toMatchObject({
      is: 'failed',
      message: expect.stringContaining(words),
    });
  });

  test('waits until the deadline where another try may help', () => {
    const container = waiting('ErrImagePull', 'i/o timeout');
    const at = (ageSeconds: number) => result(probe({ ageSeconds, container }), { pullDeadlineSeconds: 60 }).is;
    expect([at(59), at(60)]).toEqual(['waiting', 'failed']);
  });

  test('is not late while it runs', () => {
    const pod = probe({ ageSeconds: 5000, container: { state: { running: { startedAt: secondsAgo(1) } } } });
    expect(result(pod)).toEqual({ is: 'waiting', message: 'reading image "quay.io/kairos/debian:v2" on node n1' });
  });
});
