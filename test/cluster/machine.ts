/** One real node's machine, as somebody beside it sees it: buttons, cable, console. Works from any process, the supervisor does the rest. */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KairosVersion, type Slot, SLOTS } from './kairos-identity.js';
import { hasImage, markImage, writeSlot } from './disk.js';
import { control, type MachineState } from './machine-files.js';
import { isAlive, killRecorded, type ProcessRecord, recordOf } from './process-record.js';
import { type CommandResult, mustRun, run } from './run-command.js';
import { waitFor } from './wait.js';

/** Where one machine's things are. */
export interface MachinePlace {
  name: string;
  disk: string;
  control: string;
  log: string;
  veth: string;
}

const ENVIRONMENT = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];
const NAMESPACES = ['-m', '-u', '-i', '-n', '-p', '-C', '-T', '-r', '-w'];

export class Machine {
  readonly name: string;
  private readonly files: ReturnType<typeof control>;

  constructor(private readonly place: MachinePlace) {
    this.name = place.name;
    this.files = control(place.control);
  }

  /** What the supervisor wrote last; before the first boot, off. */
  state(): MachineState {
    try {
      return JSON.parse(readFileSync(this.files.state, 'utf8')) as MachineState;
    } catch {
      return { power: 'off', boots: 0 };
    }
  }

  /** The id of the current boot. */
  bootId(): string | undefined {
    return this.state().bootId;
  }

  /** Boots since the cluster's start; the first one counts. */
  bootCount(): number {
    return this.log().filter(line => line.includes(' boot ')).length;
  }

  /** The supervisor's log: `TIME boot ID slot SLOT` and `TIME ended reboot|poweroff|power-cut`. */
  log(): string[] {
    return existsSync(this.place.log) ? readFileSync(this.place.log, 'utf8').trim().split('\n') : [];
  }

  /** Requests to reboot or power off that were made on the node itself, oldest first. */
  powerLog(): string[] {
    const file = join(this.place.disk, 'persist/var/log/power.log');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Orderly reboot from the node's console. Returns once it is under way. */
  async softReboot(): Promise<void> {
    await this.exec('reboot');
  }

  /** Reboot without stopping anything first. */
  async hardReboot(): Promise<void> {
    await this.exec('reboot', '-f'); // the console dies with the node, so its code says nothing
  }

  /** Cuts the power. It comes back by itself, after the firmware delay, unless it is to stay off. */
  async powerCut(options: { stayOff?: boolean } = {}): Promise<void> {
    const { init } = this.state();
    if (!isAlive(init)) throw new Error(`${this.name} is not running`);
    if (options.stayOff === true) writeFileSync(this.files.stayOff, '');
    killRecorded(init);
    await waitFor(() => !isAlive(init), { what: `${this.name} to lose its power`, seconds: 10, everyMs: 20 });
  }

  /** Orderly shutdown; returns when the machine is off. */
  async powerOff(): Promise<void> {
    await this.exec('poweroff');
    await waitFor(() => this.state().power === 'off', { what: `${this.name} to power off`, seconds: 30, everyMs: 50 });
  }

  async powerOn(): Promise<void> {
    writeFileSync(this.files.powerButton, '');
    await this.waitForInit();
  }

  /** Pulls the network cable; it stays out over reboots. */
  async partition(): Promise<void> {
    writeFileSync(this.files.partitioned, '');
    await mustRun('ip', ['link', 'set', this.place.veth, 'down']);
  }

  async heal(): Promise<void> {
    rmSync(this.files.partitioned, { force: true });
    await mustRun('ip', ['link', 'set', this.place.veth, 'up']);
  }

  /** How long the machine takes from the end of one boot to the begin of the next. */
  setFirmwareDelay(seconds: number): void {
    writeFileSync(this.files.firmwareSeconds, String(seconds));
  }

  /** The slot of the next boot; the one after that is active again. */
  nextSlot(slot: Slot): void {
    writeFileSync(this.files.nextSlot, slot);
  }

  /** Puts the version into all slots. Takes effect at the next boot. */
  resetOs(version: KairosVersion): void {
    for (const slot of SLOTS) writeSlot(this.place.disk, slot, version);
  }

  /** Runs a command on the node, outside any container. */
  async exec(...command: string[]): Promise<CommandResult> {
    return await this.execWith({}, ...command);
  }

  async execWith(
    options: { stdin?: string; stdinFile?: string; seconds?: number },
    ...command: string[]
  ): Promise<CommandResult> {
    const { init } = this.state();
    if (!isAlive(init)) throw new Error(`${this.name} is not running`);
    const args = ['-t', String(init.pid), ...NAMESPACES, '--', 'env', '-i', ...ENVIRONMENT, ...command];
    return await run('nsenter', args, { seconds: 120, ...options });
  }

  async readFile(path: string): Promise<string> {
    const result = await this.exec('cat', path);
    if (result.code !== 0) throw new Error(`${this.name}: ${result.stderr.trim()}`);
    return result.stdout;
  }

  async writeFile(path: string, text: string): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat >"$1"';
    const result = await this.execWith({ stdin: text }, 'sh', '-c', script, 'sh', path);
    if (result.code !== 0) throw new Error(`${this.name}: ${result.stderr.trim()}`);
  }

  /** Where a file of the node's lasting folders (/var, /usr/local, /oem, /root, /etc/kubernetes) lies on this machine. */
  hostPath(path: string): string {
    return join(this.place.disk, 'persist', path);
  }

  /** Processes of the node's own PID namespace (containers with hostPID among them) whose command line has these words. */
  processes(words: string): ProcessRecord[] {
    const { init } = this.state();
    if (!isAlive(init)) return [];
    const namespaceOf = (pid: string | number) => readlinkSync(`/proc/${pid}/ns/pid`);
    const own = namespaceOf(init.pid);
    return readdirSync('/proc')
      .filter(pid => /^\d+$/.test(pid))
      .flatMap(pid => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
          return command.includes(words) && namespaceOf(pid) === own ? [recordOf(Number(pid))] : [];
        } catch {
          return []; // it ended in between
        }
      })
      .filter(record => record !== undefined);
  }

  /** Loads a docker-archive into the node's containerd, unless its disk already has this file. */
  async importImage(tar: string): Promise<void> {
    const ref = await refOf(tar);
    if (hasImage(this.place.disk, ref, tar)) return;
    await this.waitForInit();
    // asked too early, ctr would sit out its whole connection limit
    const answers = 'test -S /run/containerd/containerd.sock && ctr --connect-timeout 1s version';
    const ready = async () => (await this.exec('sh', '-c', answers)).code === 0;
    await waitFor(ready, { what: `containerd of ${this.name}`, seconds: 60 });
    const result = await this.execWith({ stdinFile: tar }, 'ctr', '-n', 'k8s.io', 'images', 'import', '-');
    if (result.code !== 0) throw new Error(`${this.name} cannot import ${tar}: ${result.stderr.trim()}`);
    markImage(this.place.disk, ref, tar);
  }

  /** Waits until the node's init runs. */
  async waitForInit(): Promise<void> {
    mkdirSync(this.place.control, { recursive: true });
    await waitFor(() => isAlive(this.state().init), { what: `${this.name} to boot`, seconds: 90, everyMs: 20 });
  }
}

async function refOf(tar: string): Promise<string> {
  const text = await mustRun('tar', ['-xOf', tar, '--occurrence=1', 'manifest.json']);
  const [entry] = JSON.parse(text) as { RepoTags: string[] }[];
  const ref = entry?.RepoTags[0];
  if (ref === undefined) throw new Error(`${tar} names no image`);
  return ref;
}
