/** Commands that the harness runs on this machine, and the Debian packages that contain them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withLock } from './lock.js';
import { cacheFolder } from './paths.js';
import { mustRun, run, searchPath } from './run-command.js';

/** Package of each command. Programs inside the nodes come from the nodes' own base system instead. */
const PROVIDERS: Record<string, string> = {
  openssl: 'openssl',
  ip: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mmdebstrap: 'mmdebstrap',
  'qemu-system-x86_64': 'qemu-system-x86',
  strip: 'binutils',
  tar: 'tar',
};

export type Tool = keyof typeof PROVIDERS;

export const CONTROL_PLANE_TOOLS = ['openssl'] as const;
export const REAL_NODE_TOOLS = ['openssl', 'ip', 'unshare', 'nsenter', 'mmdebstrap', 'strip', 'tar'] as const;

export function hasCommand(name: string): boolean {
  return searchPath(process.env)
    .split(delimiter)
    .some(folder => folder !== '' && existsSync(join(folder, name)));
}

/** Packages of those commands that are missing on this machine. */
export function missingPackages(tools: readonly string[]): string[] {
  const missing = tools.filter(tool => !hasCommand(tool)).map(tool => PROVIDERS[tool] ?? tool);
  return [...new Set(missing)].sort();
}

/** Installs missing packages if this process runs as root and has apt-get; otherwise throws an error that names them. */
export async function ensurePackages(tools: readonly string[], log: (line: string) => void): Promise<void> {
  if (missingPackages(tools).length === 0) return;
  // apt-get can run only once at a time.
  await withLock(join(cacheFolder(), 'packages.lock'), 900, () => install(missingPackages(tools), log));
}

async function install(missing: readonly string[], log: (line: string) => void): Promise<void> {
  if (missing.length === 0) return;
  const advice = `Install the missing packages with: apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !hasCommand('apt-get'))
    throw new Error(`Commands are missing on this machine. ${advice}`);
  log(`installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const tryInstall = () =>
    run('apt-get', ['install', '--yes', '--no-install-recommends', ...missing], { env, seconds: 600 });
  if ((await tryInstall()).code === 0) return;
  await mustRun('apt-get', ['update'], { env, seconds: 300 }); // the package lists may be missing or outdated
  const secondTry = await tryInstall();
  if (secondTry.code !== 0) throw new Error(`${advice}\napt-get failed:\n${secondTry.stderr.trim().slice(-2000)}`);
}
