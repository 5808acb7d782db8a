/** The images that tests need, as docker archives in the cache, named by what they are made of: what is unchanged is not made again. */
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
import { cacheFolder, nodeFiles, repository, shortHash } from './places.js';
import { mustRun } from './run-command.js';

export interface Image {
  ref: string;
  tar: string;
  /** The same content as a folder. */
  root: string;
}

/** `arch` is what its release file claims; the image itself can always be run here. */
export interface KairosImage extends KairosVersion {
  ref: string;
  /** The upgrade ends with this code instead of succeeding. */
  fail?: number;
  /** How long the upgrade takes. */
  sleepSeconds?: number;
}

const silent = () => undefined;
const USERS = 'root:x:0:0:root:/:/bin/sh\n';

/** What keeps a pod's namespaces. A shell, because it ends at once on SIGTERM and reaps orphans. */
export async function pauseImage(): Promise<Image> {
  const config = { Entrypoint: ['/bin/sh', '-c', 'trap exit TERM INT; while :; do sleep 86400 & wait $!; done'] };
  return await image({ name: 'pause', ref: 'localhost/pause:1', config, key: [] }, root => busyboxInto(root));
}

export async function busyboxImage(): Promise<Image> {
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
  return await image({ name: 'busybox', ref: 'localhost/busybox:1', config, key: [] }, root => busyboxInto(root));
}

/** A Kairos image as far as an upgrade needs one: release files, and a kairos-agent that installs them. */
export async function kairosImage(plan: KairosImage): Promise<Image> {
  const agent = readFileSync(join(nodeFiles, 'image-kairos-agent'), 'utf8');
  const settings = `FAIL=${plan.fail ?? 0}\nSLEEP=${plan.sleepSeconds ?? 0}\n`;
  const release = releaseFiles(plan);
  const key = [agent, settings, release['kairos-release'], release['os-release']];
  const config = { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/bash'] };
  return await image({ name: 'kairos', ref: plan.ref, config, key }, async (root, base) => {
    await busyboxInto(root, base);
    // busybox's shell would run its own mount, which knows no --rbind; a real image has these three as well
    for (const program of ['/bin/bash', '/bin/dash', '/bin/mount']) await programInto(root, base, program);
    rmSync(join(root, 'bin/sh'), { force: true });
    symlinkSync('dash', join(root, 'bin/sh'));
    for (const mountPoint of ['dev', 'proc', 'run', 'sys', 'var'])
      mkdirSync(join(root, mountPoint), { recursive: true });
    put(root, 'usr/bin/kairos-agent', agent, 0o755);
    put(root, 'etc/kairos-agent-stand-in', settings);
    for (const [name, text] of Object.entries(release)) put(root, `etc/${name}`, text);
  });
}

/** Node 24 and the libraries it needs, nothing else: the base of the product's images. */
export async function nodeBase(): Promise<Image> {
  const config = { Env: ['PATH=/usr/bin:/bin'], Cmd: ['node'] };
  return await image(
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
        await librariesInto(root, base, join(root, 'usr/bin/node'));
        put(root, 'etc/passwd', `${USERS}nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n`);
        put(root, 'etc/nsswitch.conf', 'hosts: files dns\n');
        mkdirSync(join(root, 'tmp'), { recursive: true });
        chmodSync(join(root, 'tmp'), 0o1777);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  );
}

/** Copies a program of the nodes' base system and its libraries into an image's root; for images that need one more tool. */
export async function programInto(root: string, base: string, program: string): Promise<void> {
  const target = join(root, program);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { force: true }); // it may be a link to busybox
  copyFileSync(join(base, program), target);
  chmodSync(target, 0o755);
  await librariesInto(root, base, join(base, program));
}

interface Recipe {
  name: string;
  ref: string;
  config: ImageConfig;
  /** What else decides the content, beside this file and the base system. */
  key: readonly string[];
}

async function image(recipe: Recipe, fill: (root: string, base: string) => Promise<void>): Promise<Image> {
  const recipes = ['images.ts', 'archive.ts'].map(name => readFileSync(join(repository, 'test/cluster', name)));
  const hash = shortHash(JSON.stringify(recipe), baseRootKey, ...recipes);
  const root = join(cacheFolder(), 'images', `${recipe.name}-${hash}`);
  const made: Image = { ref: recipe.ref, tar: `${root}.tar`, root };
  if (existsSync(made.tar)) return made;
  const base = await ensureBaseRoot(silent);
  return await withLock(`${root}.lock`, 600, async () => {
    if (existsSync(made.tar)) return made;
    const draft = `${root}.draft`;
    for (const folder of [draft, root]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await fill(draft, base);
    renameSync(draft, root);
    await writeArchive({ ...recipe, root, tar: made.tar });
    return made;
  });
}

async function busyboxInto(root: string, known?: string): Promise<void> {
  const base = known ?? (await ensureBaseRoot(silent));
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  copyFileSync(join(base, 'bin/busybox'), join(bin, 'busybox'));
  const applets = (await mustRun(join(bin, 'busybox'), ['--list'])).trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(bin, applet));
  put(root, 'etc/passwd', USERS);
  mkdirSync(join(root, 'tmp'), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
}

/** The base system's versions of the shared libraries that the program names. */
async function librariesInto(root: string, base: string, program: string): Promise<void> {
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

function put(root: string, path: string, text: string, mode = 0o644): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}
