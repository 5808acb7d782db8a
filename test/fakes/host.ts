/** A machine in memory: a disk that survives, a boot id that changes, and a power that can fail before any act. */
import { LOADER_ENTRY } from '../../agent/boot-state.js';
import type { Host } from '../../agent/host.js';

/** The process died here, or the machine under it; nothing after this happened. */
export class Killed extends Error {}

export interface FakeHost extends Host {
  files: Map<string, string>;
  /** Tries to reboot that arrived, each with the boot id it hit. */
  rebootCalls: string[];
  /** Acts that change something, as they happened. */
  mutations: string[];
  set(what: Partial<Settings>): void;
  /** The machine goes through a reboot now. */
  restart(id?: string): void;
  /** The act of this number (from 1, counted from now) and all after it do not happen; `undefined` lifts it. */
  killBefore(act: number | undefined): void;
  /** An act outside the machine, such as a write to the cluster: it counts as well. */
  recordMutation(name: string): void;
}

interface Settings {
  bootId: string;
  cmdline: string;
  loaderEntry?: string;
  init: string;
  /** Whether a call to reboot is obeyed at once. */
  rebootsWhenAsked: boolean;
  /** Somebody else sees to the reboot: called when one was asked for. */
  onReboot?: () => void;
  /** Writing to the disk fails with this. */
  diskFault?: string;
  /** Calling the reboot fails with this. */
  rebootFault?: string;
  bootedAt: Date;
  readOnly: readonly string[];
  /** Paths that are there and cannot be read. */
  unreadable: readonly string[];
  /** Watching a folder fails with this. */
  watchFault?: string;
}

export const bootIdOf = (boot: number): string => `00000000-0000-4000-8000-${String(boot).padStart(12, '0')}`;

export const KAIROS_RELEASE = [
  'KAIROS_ID="kairos"',
  'KAIROS_VERSION="v3.5.0"',
  'KAIROS_FLAVOR="debian"',
  'KAIROS_ARCH="amd64"',
  'KAIROS_SOFTWARE_VERSION_PREFIX="k3s"',
  'KAIROS_SOFTWARE_VERSION="v1.34.1+k3s1"',
].join('\n');

const DEFAULTS: Settings = {
  bootId: bootIdOf(1),
  cmdline: 'BOOT_IMAGE=/boot/vmlinuz root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img',
  init: 'systemd',
  rebootsWhenAsked: true,
  bootedAt: new Date('2026-01-01T00:00:00.000Z'),
  readOnly: [],
  unreadable: [],
};

const refuseUnreadable = (settings: Settings) => (path: string) => {
  if (settings.unreadable.includes(path)) throw new Error(`EIO: i/o error, read ${path}`);
};

type Act = (name: string) => void;
type DiskPart = Pick<FakeHost, 'files' | 'read' | 'write' | 'remove' | 'list' | 'makeWritable' | 'hasDir' | 'watch'>;

function disk(start: Record<string, string>, settings: Settings, act: Act): DiskPart {
  const files = new Map(Object.entries(start));
  const watchers = new Set<{ dir: string; changed: (name: string | undefined) => void }>();
  const tell = (path: string) => {
    for (const { dir, changed } of watchers) if (path.startsWith(`${dir}/`)) changed(path.slice(dir.length + 1));
  };
  const readable = refuseUnreadable(settings);
  return {
    files,
    read: async path => {
      readable(path);
      return files.get(path);
    },
    write: async (path, text) => {
      act(`write ${path}`);
      if (settings.diskFault !== undefined) throw new Error(settings.diskFault);
      files.set(path, text);
      tell(path);
    },
    remove: async path => {
      act(`remove ${path}`);
      files.delete(path);
      tell(path);
    },
    list: async dir =>
      [...files.keys()].filter(path => path.startsWith(`${dir}/`)).map(path => path.slice(dir.length + 1)),
    makeWritable: async dir => !settings.readOnly.some(place => dir.startsWith(place)),
    hasDir: async () => true,
    watch: async (dir, changed, signal) => {
      if (settings.watchFault !== undefined) throw new Error(settings.watchFault);
      const watcher = { dir, changed };
      watchers.add(watcher);
      signal.addEventListener('abort', () => watchers.delete(watcher), { once: true });
    },
  };
}

export function fakeHost(files: Record<string, string> = { '/etc/kairos-release': KAIROS_RELEASE }): FakeHost {
  const rebootCalls: string[] = [];
  const mutations: string[] = [];
  const settings = { ...DEFAULTS };
  let boots = 1;
  let left: number | undefined;

  const act = (name: string) => {
    if (left !== undefined && (left -= 1) <= 0) throw new Killed(name);
    mutations.push(name);
  };
  const restart = (id?: string) => {
    boots += 1;
    settings.bootId = id ?? bootIdOf(boots);
    settings.bootedAt = new Date(settings.bootedAt.getTime() + 60_000);
  };
  const reboot = (how: string) => {
    act(how);
    if (settings.rebootFault !== undefined) throw new Error(settings.rebootFault);
    rebootCalls.push(settings.bootId);
    settings.onReboot?.();
    if (settings.rebootsWhenAsked) restart();
  };
  return {
    ...disk(files, settings, act),
    rebootCalls,
    mutations,
    set: what => void Object.assign(settings, what),
    restart,
    killBefore: number => void (left = number),
    recordMutation: act,
    bootId: async () => settings.bootId,
    bootedAt: async () => settings.bootedAt,
    cmdline: async () => settings.cmdline,
    loaderEntry: async () => {
      refuseUnreadable(settings)(LOADER_ENTRY);
      return settings.loaderEntry;
    },
    arch: () => 'x64',
    initName: async () => settings.init,
    signalInit: async signal => reboot(`signal ${signal}`),
    runInInitNamespaces: async (...command) => reboot(command.join(' ')),
  };
}
