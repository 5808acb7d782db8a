/** The agent's host in memory: a disk that survives reboots, a boot id that changes with each, and a power failure before any mutation. */
import { LOADER_ENTRY } from '../../agent/boot-state.js';
import type { Host } from '../../agent/host.js';

/** The process or its machine died here; no later mutation took place. */
export class Killed extends Error {}

export interface FakeHost extends Host {
  files: Map<string, string>;
  /** Reboot calls, each recorded as the boot id during which it was made. */
  rebootCalls: string[];
  /** File changes, reboot calls and recorded writes, in order. */
  mutations: string[];
  set(what: Partial<Settings>): void;
  /** Reboots the machine at once. */
  restart(id?: string): void;
  /** The mutation of this number (counted from now, starting at 1) and all later ones fail with `Killed`; `undefined` resets this. */
  killBefore(mutation: number | undefined): void;
  /** Counts a mutation that is made elsewhere, such as a write to the API server. */
  recordMutation(name: string): void;
}

interface Settings {
  bootId: string;
  cmdline: string;
  loaderEntry?: string;
  isStartedFromPartition?: boolean;
  init: string;
  /** Whether a reboot call reboots the machine at once. */
  rebootsWhenAsked: boolean;
  /** Called on each reboot call, for a machine that reboots by itself. */
  onReboot?: (how: string) => void;
  /** Writing to the disk fails with this. */
  diskFault?: string;
  /** Calling the reboot fails with this, whatever the way. */
  rebootFault?: string;
  /** What single ways of calling it do, by their name in `mutations`: `hang`, or fail with this error. */
  rebootFaults: Readonly<Record<string, string>>;
  bootedAt: Date;
  readOnly: readonly string[];
  /** Paths that exist and fail to be read. */
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
  rebootFaults: {},
  bootedAt: new Date('2026-01-01T00:00:00.000Z'),
  readOnly: [],
  unreadable: [],
};

const refuseUnreadable = (settings: Settings) => (path: string) => {
  if (settings.unreadable.includes(path)) throw new Error(`EIO: i/o error, read ${path}`);
};

type Mutate = (name: string) => void;
type DiskPart = Pick<
  FakeHost,
  'files' | 'read' | 'readLinked' | 'write' | 'remove' | 'list' | 'makeWritable' | 'writeError' | 'hasDir' | 'watch'
>;

function disk(start: Record<string, string>, settings: Settings, mutate: Mutate): DiskPart {
  const files = new Map(Object.entries(start));
  const watchers = new Set<{ dir: string; changed: (name: string | undefined) => void }>();
  const notifyWatchers = (path: string) => {
    for (const { dir, changed } of watchers) if (path.startsWith(`${dir}/`)) changed(path.slice(dir.length + 1));
  };
  const throwIfUnreadable = refuseUnreadable(settings);
  const isReadOnly = (dir: string) => settings.readOnly.some(place => dir.startsWith(place));
  const read = async (path: string) => {
    throwIfUnreadable(path);
    return files.get(path);
  };
  return {
    files,
    read,
    readLinked: read,
    write: async (path, text) => {
      mutate(`write ${path}`);
      if (settings.diskFault !== undefined) throw new Error(settings.diskFault);
      files.set(path, text);
      notifyWatchers(path);
    },
    remove: async path => {
      mutate(`remove ${path}`);
      files.delete(path);
      notifyWatchers(path);
    },
    list: async dir =>
      [...files.keys()].filter(path => path.startsWith(`${dir}/`)).map(path => path.slice(dir.length + 1)),
    makeWritable: async dir => !isReadOnly(dir),
    writeError: async dir => settings.diskFault ?? (isReadOnly(dir) ? 'EROFS: read-only file system' : undefined),
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

  const mutate = (name: string) => {
    if (left !== undefined && (left -= 1) <= 0) throw new Killed(name);
    mutations.push(name);
  };
  const restart = (id?: string) => {
    boots += 1;
    settings.bootId = id ?? bootIdOf(boots);
    settings.bootedAt = new Date(settings.bootedAt.getTime() + 60_000);
  };
  const reboot = (how: string): 'exited' | 'hung' => {
    mutate(how);
    const fault = settings.rebootFault ?? settings.rebootFaults[how];
    if (fault === 'hang') return 'hung';
    if (fault !== undefined) throw new Error(fault);
    rebootCalls.push(settings.bootId);
    settings.onReboot?.(how);
    if (settings.rebootsWhenAsked) restart();
    return 'exited';
  };
  return {
    ...disk(files, settings, mutate),
    rebootCalls,
    mutations,
    set: what => void Object.assign(settings, what),
    restart,
    killBefore: number => void (left = number),
    recordMutation: mutate,
    bootId: async () => settings.bootId,
    bootedAt: async () => settings.bootedAt,
    cmdline: async () => settings.cmdline,
    loaderEntry: async () => {
      refuseUnreadable(settings)(LOADER_ENTRY);
      return settings.loaderEntry;
    },
    isStartedFromPartition: async () => settings.isStartedFromPartition,
    arch: () => 'x64',
    initName: async () => settings.init,
    signalInit: async signal => void reboot(`signal ${signal}`),
    runInInitNamespaces: async (...command) => reboot(command.join(' ')),
  };
}
