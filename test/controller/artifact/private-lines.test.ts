/** Which lines of a failed step's log become its termination message: those without anything from a Secret. Run by a real shell. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OSArtifactSpec } from '../../../api/os-artifact.js';
import { buildOf } from '../../../controller/artifact/build/build.js';
import { builderPod } from '../../../controller/artifact/build/builder-pod.js';
import { STEP_RUNNER } from '../../../controller/artifact/build/scripts/step-runner.js';
import { META, NESTED_ALL, TOOLS } from './samples.js';

let root = '';
const at = (...path: string[]) => join(root, ...path);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'private-'));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  for (const folder of ['dev', 'tmp', 'artifacts', 'ocispec', 'root/.docker'])
    mkdirSync(at(folder), { recursive: true });
  rmSync(at('dev/termination-log'), { force: true });
});

/** Runs a step, with the folders of its container below a temporary folder. */
function failedStep(script: string) {
  const relocated = STEP_RUNNER.replaceAll(
    /\/(dev\/termination-log|tmp\/\.(?:said|made|files|last|private)|artifacts|cloud-config\.yaml|ocispec|root\/\.docker)/g,
    `${root}/$1`,
  );
  const { status, stdout } = spawnSync('/bin/bash', ['-c', relocated, script, '2048'], { encoding: 'utf8' });
  return { status, stdout, last: readFileSync(at('dev/termination-log'), 'utf8') };
}

test('no container of the builder Pod has its log published by the kubelet', () => {
  const { initContainers, containers } = builderPod(
    META,
    buildOf('os', OSArtifactSpec.parse(NESTED_ALL)),
    { id: 'id', attempt: 1 },
    TOOLS,
  ).spec;
  expect(JSON.stringify([initContainers, containers])).not.toContain('FallbackToLogsOnError');
});

describe('publishes no line of the log with', () => {
  const CLOUD_CONFIG = [
    '#cloud-config',
    'hostname: edge-{{ trunc 4 .MachineID }}',
    'users:',
    '  - name: kairos',
    '    passwd: hunter2',
    '    ssh_authorized_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"]',
    'k3s:',
    '  env:',
    '    K3S_TOKEN: t0k',
    'write_files:',
    '  - content: |',
    '      a-line-of-a-file',
    '',
  ].join('\n');
  const OCI_SPEC =
    'FROM base\nRUN curl -H "X-Token: s3cr3t-of-the-template" \\\n    https://example.test/private-path\nENV MY_PASSWORD=p4s\n';
  const AUTH = JSON.stringify({
    auths: {
      'registry.test': { username: 'me', password: 'r3g-pass', auth: Buffer.from('me:r3g-pass').toString('base64') },
    },
  });

  beforeEach(() => {
    writeFileSync(at('cloud-config.yaml'), CLOUD_CONFIG);
    writeFileSync(at('ocispec/ociSpec'), OCI_SPEC);
    writeFileSync(at('root/.docker/config.json'), AUTH);
  });
  test.each([
    [
      'the cloud-config as one line',
      `DBG Reading configuration config={"cloud_config":${JSON.stringify(CLOUD_CONFIG)},"state_dir":"/artifacts"}`,
    ],
    ['the cloud-config in Go syntax', `map[users:[map[name:kairos passwd:hunter2]] k3s:map[env:map[K3S_TOKEN:t0k]]]`],
    ['the cloud-config as it is', CLOUD_CONFIG],
    ['the cloud-config with another indent', CLOUD_CONFIG.replaceAll(/^ +/gm, '\t')],
    ['a value of a cloud-config with quotes', 'passwd: "hunter2"'],
    ['a value alone', 'level=debug msg=t0k'],
    [
      'an instruction of the definition',
      'STEP 2/3: RUN curl -H "X-Token: s3cr3t-of-the-template"     https://example.test/private-path',
    ],
    ['a failed instruction', `Error: building at STEP "RUN curl -H "X-Token: s3cr3t-of-the-template"": exit status 22`],
    ['a value of the definition', '+ export MY_PASSWORD=p4s'],
    ['a password for a registry', 'time=x msg="login me r3g-pass"'],
    ['a password in an HTTP header', `Authorization: Basic ${Buffer.from('me:r3g-pass').toString('base64')}`],
  ])('%s', (_, log) => {
    writeFileSync(at('log'), `a harmless line\n${log}\nERR pulling quay.io/kairos/x: no space left on device\n`);
    const { status, last, stdout } = failedStep(`cat ${at('log')}; exit 7`);
    expect(status).toBe(7);
    expect(last).toMatch(/a harmless line\n(?:.|\n)*no space left on device\n\+ exit 7\n$/);
    expect(last).not.toMatch(
      /hunter2|t0k|ssh-ed25519|a-line-of-a-file|s3cr3t|private-path|p4s|r3g-pass|bWU6cjNnLXBhc3M|edge-/,
    );
    expect(stdout).toContain(log);
  });

  test('anything of it, and refers to the log where no line is left', () => {
    writeFileSync(at('log'), 'passwd: hunter2\n'.repeat(9));
    writeFileSync(at('cloud-config.yaml'), `${CLOUD_CONFIG}token: exit\n`);
    const { last } = failedStep(`cat ${at('log')}; exit 7`);
    expect(last).not.toContain('hunter2');
  });
});
