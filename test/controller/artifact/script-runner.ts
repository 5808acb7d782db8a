/** Runs the scripts of builder Pods in a real shell, with the folders of the container below a temporary folder. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OSArtifactSpec } from '../../../api/os-artifact.js';
import { buildOf } from '../../../controller/artifact/build/build.js';
import { builderPod } from '../../../controller/artifact/build/builder-pod.js';
import { META, TOOLS } from './samples.js';

interface Container {
  name: string;
  args?: string[];
}

export const podSpecOf = (spec: object) =>
  builderPod(META, buildOf('os', OSArtifactSpec.parse(spec)), { id: 'id', attempt: 1 }, TOOLS).spec;

export function scriptsOf(spec: object): { name: string; script: string; files: string[] }[] {
  const { initContainers, containers } = podSpecOf(spec);
  const all: Container[] = [
    ...initContainers.map(({ name, args }) => ({ name, args: args as string[] })),
    ...containers,
  ];
  return all.flatMap(({ name, args: [script, , ...files] = [] }) =>
    script === undefined ? [] : [{ name, script, files }],
  );
}

export const scriptOf = (spec: object, step: string) =>
  scriptsOf(spec).find(({ name }) => name === step)?.script ?? 'exit 99';

const PATHS =
  /(?<![\w.])\/(artifacts|scratch|rootfs|etc|config|cloud-config\.yaml|dev\/termination-log|overlay-(?:iso|rootfs)(?= )|tmp\/\.files|grub\.cfg|dev\/loop|sys\/block)/g;

export class ScriptRunner {
  readonly root = mkdtempSync(join(tmpdir(), 'scripts-'));

  /** `tools`: programs, by their names. */
  run(script: string, tools: Record<string, string> = {}) {
    const bin = this.at('bin');
    mkdirSync(bin, { recursive: true });
    for (const [name, text] of Object.entries(tools))
      writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    return spawnSync('bash', ['-cxe', script.replaceAll(PATHS, `${this.root}/$1`)], {
      env: { PATH: `${bin}:${process.env.PATH ?? ''}` },
      cwd: this.root,
      encoding: 'utf8',
    });
  }

  at(...path: string[]): string {
    return join(this.root, ...path);
  }

  text(...path: string[]): string {
    return readFileSync(this.at(...path), 'utf8');
  }

  /** The work folder of a step. */
  work(step: string): string {
    return this.at('scratch', `kairos-operator-build.${step}`);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(join(this.at(path), '..'), { recursive: true });
    writeFileSync(this.at(path), text, { mode });
  }

  /** Empty folders. */
  fresh(...folders: string[]): void {
    for (const folder of folders) {
      rmSync(this.at(folder), { recursive: true, force: true });
      mkdirSync(this.at(folder), { recursive: true });
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
