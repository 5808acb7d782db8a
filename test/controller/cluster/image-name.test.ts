import { describe, expect, test } from '@jest/globals';
import { fullImageName, isOnNode } from '../../../controller/cluster/image-name.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('The full name of an image', () => {
  test.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['docker.io/busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['index.docker.io/library/busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['docker.io/library/busybox', 'docker.io/library/busybox:latest'],
    ['team/tool', 'docker.io/team/tool:latest'],
    ['docker.io/team/tool:2', 'docker.io/team/tool:2'],
    ['registry.example/tool', 'registry.example/tool:latest'],
    ['registry.example/team/tool:2', 'registry.example/team/tool:2'],
    ['localhost/tool:2', 'localhost/tool:2'],
    ['registry:5000/tool', 'registry:5000/tool:latest'],
    ['registry:5000/tool:2', 'registry:5000/tool:2'],
    [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`],
    [`registry:5000/tool:2@${DIGEST}`, `registry:5000/tool@${DIGEST}`],
  ])('%s is %s', (name, full) => expect(fullImageName(name)).toBe(full));

  test('takes time in proportion to its length', () => {
    const colons = `${':'.repeat(1_000_000)}/x`;
    expect(fullImageName(colons)).toBe(`${colons}:latest`);
    expect(fullImageName(`${colons}@${DIGEST}`)).toBe(`${colons}@${DIGEST}`);
  });
});

describe('An image is on the node', () => {
  test.each<[string, string, string[], boolean]>([
    ['when its tag is listed', 'registry.example/tool:1', ['registry.example/tool:1'], true],
    ['only if the tag is the same', 'registry.example/tool:1', ['registry.example/tool:2'], false],
    ['only if the registry is the same', 'a.example/tool:1', ['b.example/tool:1'], false],
    ['when its short name is listed in full', 'busybox:1.36', ['docker.io/library/busybox:1.36'], true],
    [
      'never with the tag latest, which the kubelet pulls every time',
      'registry.example/tool:latest',
      ['registry.example/tool:latest'],
      false,
    ],
    ['never without a tag, which means latest', 'registry.example/tool', ['registry.example/tool:latest'], false],
    ['when its digest is listed', `busybox@${DIGEST}`, [`docker.io/library/busybox@${DIGEST}`], true],
    [
      'when its digest is listed, whatever its tag',
      `busybox:latest@${DIGEST}`,
      [`docker.io/library/busybox@${DIGEST}`],
      true,
    ],
    ['only if its digest is listed', `busybox@${DIGEST}`, ['docker.io/library/busybox:1'], false],
    ['only if anything is listed', 'busybox:1', [], false],
  ])('%s', (_sentence, image, listed, expected) => expect(isOnNode(image, listed)).toBe(expected));
});
