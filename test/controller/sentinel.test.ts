import { expect, test } from '@jest/globals';
import { sentinelContainer } from '../../controller/sentinel.js';

const [agentImage, sentinelImage] = ['registry.example/agent:1', 'registry.example/shell:1'];

test('the sentinel is written by the image of the agent', () => {
  const expected = { image: agentImage, command: ['node', '/app/agent.cjs', 'sentinel'] };
  expect(sentinelContainer({ agentImage })).toEqual(expected);
});

test.each([
  ['the sentinel image when one is set', { agentImage, sentinelImage }, sentinelImage],
  ['busybox when neither image is set', {}, 'busybox:1.37.0'],
])('the sentinel is written with a shell by %s', (_sentence, config, image) => {
  expect(sentinelContainer(config)).toMatchObject({ image, command: ['sh', '-c', expect.stringContaining('mv ')] });
});
