/** A machine: a disk that survives reboots, a power switch, and delays for shutdown and boot. */
import type { FakeClock } from '../clock.js';
import { type FakeHost, fakeHost, KAIROS_RELEASE } from '../host.js';

export interface MachineOptions {
  name: string;
  /** Makes its boot ids distinct from those of other machines. */
  number: number;
  clock: FakeClock;
  /** Time from power-on to a running system. */
  bootSeconds?: number;
  /** Time from the reboot call until the machine is down; programs still run, and can be killed and restarted. */
  shutdownSeconds?: number;
  files?: Record<string, string>;
}

const RELEASE_FILE = '/etc/kairos-release';

export class Machine {
  readonly name: string;
  readonly host: FakeHost;
  /** The cause of each shutdown; `external` is a reboot by someone other than the agent. */
  readonly shutdowns: ('agent' | 'power' | 'external')[] = [];
  /** The release file after the next boot, when an upgrade was written to the disk. */
  nextRelease: string | undefined;
  /** Called after it went down, and after it came up. */
  onDown: () => void = () => undefined;
  onUp: () => void = () => undefined;
  up = true;
  /** Monotonic time of the last change of `up`. */
  upOrDownSince = 0;
  readonly #options: MachineOptions;
  #boots = 1;
  #cancelBoot: (() => void) | undefined;
  #cancelShutdown: (() => void) | undefined;

  constructor(options: MachineOptions) {
    const { name, files = { [RELEASE_FILE]: KAIROS_RELEASE } } = options;
    this.name = name;
    this.#options = options;
    this.host = fakeHost(files);
    this.host.set({
      bootId: this.#bootId(),
      bootedAt: options.clock.now(),
      rebootsWhenAsked: false,
      onReboot: () => this.#shutDown('agent'),
    });
  }

  get bootId(): string {
    return this.#bootId();
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
    this.#shutDown('external');
  }

  #shutDown(why: 'agent' | 'external'): void {
    if (!this.up || this.#cancelShutdown) return;
    const { clock, shutdownSeconds = 3 } = this.#options;
    this.#cancelShutdown = clock.callAfter(shutdownSeconds * 1000, () => {
      this.#cancelShutdown = undefined;
      this.powerOff(why);
      this.powerOn();
    });
  }

  #finishBoot(): void {
    this.#cancelBoot = undefined;
    this.#boots += 1;
    this.host.restart(this.#bootId());
    this.host.set({ bootedAt: this.#options.clock.now() });
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
