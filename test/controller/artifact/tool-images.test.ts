/** The versions of the build tools are decided in one place; manifests and documents follow it. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TOOL_IMAGES } from '../../../controller/artifact/build/tool-images.js';
import { readConfig } from '../../../controller/config.js';

test.each(['manifests/default/controller.yaml', 'docs/osartifact.md', 'docs/osartifact-tools.md'])(
  '%s names the images of the build tools with their versions',
  file => {
    const text = readFileSync(file, 'utf8');
    expect(Object.values(TOOL_IMAGES).filter(image => !text.includes(image))).toEqual([]);
  },
);

test('the controller uses them unless it is configured otherwise', () => {
  const { toolImage, buildahImage, kairosInitImage } = readConfig({}, []);
  expect({ tool: toolImage, buildah: buildahImage, kairosInit: kairosInitImage }).toEqual(TOOL_IMAGES);
});
