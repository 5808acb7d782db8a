/** The images that tests need, as docker archives in the cache. Their names contain a hash of all inputs, so that unchanged images are not rebuilt. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ImageConfig, writeArchive } from './archive.js';
import { baseRootKey, ensureBaseRoot } from './base-root.js';
import { type KairosVersion, releaseFiles } from './kairos-identity.js';
import { withLock } from './lock.js';
import { cacheFolder, nodeFiles, repository, shortHash } from './paths.js';
import { mustRun } from './run-command.js';

export interface Image {
  ref: string;
  tar: string;
  /** Folder with the same content. */
  root: string;
}

/** `arch` only affects the release file; the image itself always runs on this machine. */
export interface KairosImage extends KairosVersion {
  ref: string;
  /** Exit code of the upgrade; 0 by default. */
  fail?: number;
  /** Duration of the upgrade. */
  sleepSeconds?: number;
}

const noLog = () => undefined;
const USERS = 'root:x:0:0:root:/:/bin/sh\n';

/** The sandbox image of pods: a shell, which exits at once on SIGTERM and reaps orphaned processes. */
export async function pauseImage(): Promise<Image> {
  const config = { Entrypoint: ['/bin/sh', '-c', 'trap exit TERM INT; while :; do sleep 86400 & wait $!; done'] };
  return await buildImage({ name: 'pause', ref: 'localhost/pause:1', config, key: [] }, root => copyBusybox(root));
}

export async function busyboxImage(): Promise<Image> {
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
  return await buildImage({ name: 'busybox', ref: 'localhost/busybox:1', config, key: [] }, root => copyBusybox(root));
}

/** A minimal Kairos image for upgrades: release files, and a kairos-agent that installs them. */
export async function kairosImage(plan: KairosImage): Promise<Image> {
  const agent = readFileSync(join(nodeFiles, 'image-kairos-agent'), 'utf8');
  const settings = `FAIL=${plan.fail ?? 0}\nSLEEP=${plan.sleepSeconds ?? 0}\n`;
  const release = releaseFiles(plan);
  const key = [agent, settings, JSON.stringify(release)];
  const config = { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/bash'] };
  return await buildImage({ name: 'kairos', ref: plan.ref, config, key }, async (root, base) => {
    await copyBusybox(root, base);
    // The busybox shell would run its built-in mount, which does not support --rbind. A real image contains these three programs too.
    for (const program of ['/bin/bash', '/bin/dash', '/bin/mount']) await copyProgram(root, base, program);
    rmSync(join(root, 'bin/sh'), { force: true });
    symlinkSync('dash', join(root, 'bin/sh'));
    for (const mountPoint of ['dev', 'proc', 'run', 'sys', 'var'])
      mkdirSync(join(root, mountPoint), { recursive: true });
    writeFile(root, 'usr/bin/kairos-agent', agent, 0o755);
    writeFile(root, 'etc/kairos-agent-stand-in', settings);
    for (const [name, text] of Object.entries(release)) writeFile(root, `etc/${name}`, text);
  });
}

/** The base of the operator's images: Node 24 and the libraries it needs. */
export async function nodeBase(): Promise<Image> {
  const config = { Env: ['PATH=/usr/bin:/bin'], Cmd: ['node'] };
  return await buildImage(
    { name: 'node', ref: 'localhost/kairos-operator-base:24', config, key: ['node@24'] },
    async (root, base) => {
      const work = `${root}.npm`;
      mkdirSync(work, { recursive: true });
      try {
        writeFileSync(join(work, 'package.json'), '{"private":true}');
        await mustRun('npm', ['install', '--no-audit', '--no-fund', 'node@24'], { cwd: work, seconds: 300 });
        const found = readdirSync(work, { recursive: true, encoding: 'utf8' }).find(name =>
          /node-bin-[^/]*\/bin\/node$|node-linux[^/]*\/bin\/node$/.test(name),
        );
        const program = found ?? 'node_modules/node/bin/node';
        mkdirSync(join(root, 'usr/bin'), { recursive: true });
        await mustRun('strip', ['-o', join(root, 'usr/bin/node'), realpathSync(join(work, program))]);
        await copyLibraries(root, base, join(root, 'usr/bin/node'));
        writeFile(root, 'etc/passwd', `${USERS}nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n`);
        writeFile(root, 'etc/nsswitch.conf', 'hosts: files dns\n');
        mkdirSync(join(root, 'tmp'), { recursive: true });
        chmodSync(join(root, 'tmp'), 0o1777);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  );
}

/** Copies a program and its libraries from the nodes' base system into the root of an image. */
export async function copyProgram(root: string, base: string, program: string): Promise<void> {
  const target = join(root, program);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { force: true }); // The target may be a link to busybox.
  copyFileSync(join(base, program), target);
  chmodSync(target, 0o755);
  await copyLibraries(root, base, join(base, program));
}

interface ImageRecipe {
  name: string;
  ref: string;
  config: ImageConfig;
  /** Inputs that determine the content, in addition to this file and the base system. */
  key: readonly string[];
}

async function buildImage(recipe: ImageRecipe, fill: (root: string, base: string) => Promise<void>): Promise<Image> {
  const sources = ['images.ts', 'archive.ts'].map(name => readFileSync(join(repository, 'test/cluster', name)));
  const hash = shortHash(JSON.stringify(recipe), baseRootKey, ...sources);
  const root = join(cacheFolder(), 'images', `${recipe.name}-${hash}`);
  const built: Image = { ref: recipe.ref, tar: `${root}.tar`, root };
  if (existsSync(built.tar)) return built;
  const base = await ensureBaseRoot(noLog);
  return await withLock(`${root}.lock`, 600, async () => {
    if (existsSync(built.tar)) return built;
    const draft = `${root}.draft`;
    for (const folder of [draft, root]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await fill(draft, base);
    renameSync(draft, root);
    await writeArchive({ ...recipe, root, tar: built.tar });
    return built;
  });
}

async function copyBusybox(root: string, existingBase?: string): Promise<void> {
  const base = existingBase ?? (await ensureBaseRoot(noLog));
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  copyFileSync(join(base, 'bin/busybox'), join(bin, 'busybox'));
  const applets = (await mustRun(join(bin, 'busybox'), ['--list'])).trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(bin, applet));
  writeFile(root, 'etc/passwd', USERS);
  mkdirSync(join(root, 'tmp'), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
}

/** Copies the shared libraries that the program needs from the base system. */
async function copyLibraries(root: string, base: string, program: string): Promise<void> {
  const text = await mustRun('ldd', [program]);
  const names = [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '');
  for (const name of [...names, '/lib/x86_64-linux-gnu/libnss_files.so.2', '/lib/x86_64-linux-gnu/libnss_dns.so.2']) {
    const target = join(root, name);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(realpathSync(join(base, name)), target);
    chmodSync(target, 0o755);
  }
}

function writeFile(root: string, path: string, text: string, mode = 0o644): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}
