/** Programs of the machine that the harness needs, and the Debian packages that bring them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withLock } from './lock.js';
import { cacheFolder } from './places.js';
import { mustRun, run, searchPath } from './run-command.js';

/** Command to package. What runs inside the nodes comes from their own base root, not from the machine. */
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

/** The packages whose commands the machine lacks. */
export function missingPackages(tools: readonly string[]): string[] {
  const lacking = tools.filter(tool => !hasCommand(tool)).map(tool => PROVIDERS[tool] ?? tool);
  return [...new Set(lacking)].sort();
}

/** Installs what is missing when that is allowed, else says what to install. */
export async function ensurePackages(tools: readonly string[], say: (line: string) => void): Promise<void> {
  if (missingPackages(tools).length === 0) return;
  /* apt-get is one at a time. */
  await withLock(join(cacheFolder(), 'packages.lock'), 900, () => install(missingPackages(tools), say));
}

async function install(missing: readonly string[], say: (line: string) => void): Promise<void> {
  if (missing.length === 0) return;
  const advice = `Please install: apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !hasCommand('apt-get')) throw new Error(`The machine lacks commands. ${advice}`);
  say(`installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const tried = () =>
    run('apt-get', ['install', '--yes', '--no-install-recommends', ...missing], { env, seconds: 600 });
  if ((await tried()).code === 0) return;
  await mustRun('apt-get', ['update'], { env, seconds: 300 }); // the lists may be missing or old
  const again = await tried();
  if (again.code !== 0) throw new Error(`${advice}\napt-get said:\n${again.stderr.trim().slice(-2000)}`);
}
