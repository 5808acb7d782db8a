/** A machine: a disk that survives reboots, a power switch, and delays for shutdown and boot. */
import type { FakeClock } from '../clock.js';
import { type FakeHost, fakeHost, KAIROS_RELEASE } from '../host.js';
import type { NodeObject, Taint } from './object-types.js';
import type { StaticPodOptions } from './static-pods.js';

export interface MachineOptions {
  name: string;
  /** Makes its boot ids distinct from those of other machines. */
  number: number;
  clock: FakeClock;
  /** Time from power-on to a running system. */
  bootSeconds?: number;
  /** Time from the reboot call until the machine is down; programs still run, and can be killed and restarted. */
  shutdownSeconds?: number;
  files?: Readonly<Record<string, string>>;
  /** How far its wall clock is ahead of the API server's; negative when behind. */
  clockOffsetSeconds?: number;
  /** Whether `systemctl reboot` and a reboot by an administrator let the kubelet end its Pods first, as its graceful node shutdown does. */
  gracefulShutdown?: boolean;
  staticPods?: readonly StaticPodOptions[];
  /** The UUID in its firmware; null where there is none, so that the kubelet reports the machine ID instead. */
  systemUUID?: string | null;
  /** Whether its machine ID survives a boot. */
  keepsMachineId?: boolean;
}

/** Why the disk of a machine cannot be written to. */
export type DiskTrouble = 'full' | 'readOnly';

export const DISK_ERRORS: Readonly<Record<DiskTrouble, string>> = {
  full: 'ENOSPC: no space left on device, write',
  readOnly: 'EROFS: read-only file system, open',
};

/** What is different after a boot, for example because the new system has other drivers. */
export interface BootChanges {
  /** Null removes a label. */
  labels?: Readonly<Record<string, string | null>>;
  taints?: readonly Taint[];
  clockOffsetSeconds?: number;
  staticPods?: readonly StaticPodOptions[];
}

const RELEASE_FILE = '/etc/kairos-release';
const DEFAULT_FILES: Readonly<Record<string, string>> = { [RELEASE_FILE]: KAIROS_RELEASE };

export class Machine {
  readonly name: string;
  readonly host: FakeHost;
  /** The cause of each shutdown; `external` is a reboot by someone other than the agent. */
  readonly shutdowns: ('agent' | 'power' | 'external')[] = [];
  /** The release file after the next boot, when an upgrade was written to the disk. */
  nextRelease: string | undefined;
  /** Takes effect with the next boot only. */
  changesAtBoot: BootChanges = {};
  staticPods: readonly StaticPodOptions[];
  clockOffsetSeconds: number;
  /** Only privileged containers may write to the host. */
  enforcesSelinux = false;
  /** The disk keeps what it has and accepts nothing more. */
  diskTrouble: DiskTrouble | undefined;
  /** Called when a graceful shutdown begins, after it went down, and after it came up. */
  onShutdown: () => void = () => undefined;
  onDown: () => void = () => undefined;
  onUp: () => void = () => undefined;
  up = true;
  /** How far the clock that its programs read is ahead of that of the cluster, in milliseconds. */
  clockAheadMs = 0;
  /** Monotonic time of the last change of `up`. */
  upOrDownSince = 0;
  readonly #options: MachineOptions;
  #boots = 1;
  #exchanges = 0;
  #systemUUID: string | undefined;
  #registration: BootChanges = {};
  #cancelBoot: (() => void) | undefined;
  #cancelShutdown: (() => void) | undefined;

  constructor(options: MachineOptions) {
    const { name, files = DEFAULT_FILES, clockOffsetSeconds = 0, staticPods = [] } = options;
    this.name = name;
    this.clockOffsetSeconds = clockOffsetSeconds;
    this.staticPods = staticPods;
    this.#options = options;
    this.host = fakeHost(files);
    this.host.set({
      bootId: this.#bootId(),
      bootedAt: this.now(),
      rebootsWhenAsked: false,
      onReboot: how => this.#shutDown('agent', how.startsWith('systemctl')),
    });
  }

  get bootId(): string {
    return this.#bootId();
  }

  /** What the kubelet reports in `nodeInfo`. */
  get ids(): { bootID: string; systemUUID: string; machineID: string } {
    const { number, systemUUID, keepsMachineId = true } = this.#options;
    const serial = [number, this.#exchanges, keepsMachineId ? 0 : this.#boots].map(each =>
      String(each).padStart(4, '0'),
    );
    const machineID = `aaaaaaaaaaaaaaaaaaaa${serial.join('')}`;
    const firmware = this.#systemUUID ?? systemUUID;
    const own = `4c4c4544-0044-4810-8000-bbbb${serial.slice(0, 2).join('')}`;
    return { bootID: this.#bootId(), systemUUID: firmware === null ? machineID : (firmware ?? own), machineID };
  }

  /** Another machine with an empty disk is installed under the same name; only while it is off. */
  exchange(systemUUID?: string): void {
    if (this.up) throw new Error(`machine ${this.name} is up`);
    this.#exchanges += 1;
    this.#systemUUID = systemUUID;
    this.host.files.clear();
    for (const [path, text] of Object.entries(this.#options.files ?? DEFAULT_FILES)) this.host.files.set(path, text);
  }

  /** The time by its own clock. */
  now(): Date {
    return new Date(this.#options.clock.now().getTime() + this.clockOffsetSeconds * 1000);
  }

  breakDisk(trouble: DiskTrouble | undefined): void {
    this.diskTrouble = trouble;
    this.host.set({
      diskFault: trouble && DISK_ERRORS[trouble],
      readOnly: trouble === 'readOnly' ? ['/'] : [],
    });
  }

  /** The Node as the kubelet registers it after a boot: with the labels and taints of the booted system. */
  registered(node: NodeObject): NodeObject {
    const { labels = {}, taints } = this.#registration;
    this.#registration = {};
    const all = Object.entries({ ...node.metadata.labels, ...labels }).filter(([, value]) => value !== null);
    return {
      ...node,
      metadata: { ...node.metadata, labels: Object.fromEntries(all) as Record<string, string> },
      spec: taints ? { ...node.spec, taints } : node.spec,
    };
  }

  /** Cuts the power until `powerOn`. */
  powerOff(why: 'power' | 'external' | 'agent' = 'power'): void {
    this.#cancelBoot?.();
    this.#cancelBoot = undefined;
    this.#cancelShutdown?.();
    this.#cancelShutdown = undefined;
    if (!this.up) return;
    this.up = false;
    this.upOrDownSince = this.#options.clock.monotonic();
    this.shutdowns.push(why);
    this.onDown();
  }

  /** Boots the machine unless it is up. */
  powerOn(): void {
    if (this.up || this.#cancelBoot) return;
    const { clock, bootSeconds = 20 } = this.#options;
    this.#cancelBoot = clock.callAfter(bootSeconds * 1000, () => this.#finishBoot());
  }

  /** An administrator, or anything else than the agent, reboots it. */
  reboot(): void {
    this.#shutDown('external', true);
  }

  #shutDown(why: 'agent' | 'external', isOrderly: boolean): void {
    if (!this.up || this.#cancelShutdown) return;
    const { clock, shutdownSeconds = 3, gracefulShutdown = false } = this.#options;
    if (gracefulShutdown && isOrderly) this.onShutdown();
    this.#cancelShutdown = clock.callAfter(shutdownSeconds * 1000, () => {
      this.#cancelShutdown = undefined;
      this.powerOff(why);
      this.powerOn();
    });
  }

  #finishBoot(): void {
    this.#cancelBoot = undefined;
    this.#boots += 1;
    const { clockOffsetSeconds = this.clockOffsetSeconds, staticPods = this.staticPods } = this.changesAtBoot;
    Object.assign(this, { clockOffsetSeconds, staticPods });
    this.#registration = this.changesAtBoot;
    this.changesAtBoot = {};
    this.host.restart(this.#bootId());
    this.host.set({ bootedAt: this.now() });
    if (this.nextRelease !== undefined) this.host.files.set(RELEASE_FILE, this.nextRelease);
    this.nextRelease = undefined;
    this.up = true;
    this.upOrDownSince = this.#options.clock.monotonic();
    this.onUp();
  }

  #bootId(): string {
    const { number } = this.#options;
    return `00000000-0000-4000-8${String(number).padStart(3, '0')}-${String(this.#boots).padStart(12, '0')}`;
  }
}
