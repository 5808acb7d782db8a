/** Controls the machine under one real node: power, network and console. Works from any process; the supervisor performs the requests. */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KairosVersion, type Slot, SLOTS } from './kairos-identity.js';
import { hasImage, markImage, writeSlot } from './disk.js';
import { ClockShift } from './clock-shift.js';
import { controlFiles, type MachineState } from './machine-files.js';
import { isAlive, killRecorded, type ProcessRecord, recordOf } from './process-record.js';
import { type CommandResult, mustRun, run } from './run-command.js';
import { waitFor } from './wait.js';

/** Folders, log file, network link and control group of one machine. */
export interface MachinePaths {
  name: string;
  disk: string;
  control: string;
  log: string;
  veth: string;
  cgroup: string;
}

const ENVIRONMENT = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];
const NAMESPACES = ['-m', '-u', '-i', '-n', '-p', '-C', '-T', '-r', '-w'];

export class Machine {
  readonly name: string;
  private readonly files: ReturnType<typeof controlFiles>;

  constructor(private readonly paths: MachinePaths) {
    this.name = paths.name;
    this.files = controlFiles(paths.control);
  }

  /** The state last written by the supervisor; off before the first boot. */
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

  /** Number of boots since the cluster started, including the first. */
  bootCount(): number {
    return this.log().filter(line => line.includes(' boot ')).length;
  }

  /** The supervisor's log: `TIME boot ID slot SLOT` and `TIME ended reboot|poweroff|power-cut`. */
  log(): string[] {
    return existsSync(this.paths.log) ? readFileSync(this.paths.log, 'utf8').trim().split('\n') : [];
  }

  /** Reboot and power off requests made on the node itself, oldest first. */
  powerLog(): string[] {
    const file = join(this.paths.disk, 'persist/var/log/power.log');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Runs an orderly reboot on the node. Returns when it has started. */
  async softReboot(): Promise<void> {
    await this.exec('reboot');
  }

  /** Reboots without stopping services first. */
  async hardReboot(): Promise<void> {
    await this.exec('reboot', '-f'); // The command is killed by the reboot, so its exit code is ignored.
  }

  /** Cuts the power. The machine boots again after the firmware delay unless `stayOff` is set. */
  async powerCut(options: { stayOff?: boolean } = {}): Promise<void> {
    const { init } = this.state();
    if (!isAlive(init)) throw new Error(`${this.name} is not running`);
    if (options.stayOff === true) writeFileSync(this.files.stayOff, '');
    killRecorded(init);
    await waitFor(() => !isAlive(init), { what: `${this.name} to lose its power`, seconds: 10, everyMs: 20 });
  }

  /** Runs an orderly shutdown and waits until the machine is off. */
  async powerOff(): Promise<void> {
    await this.exec('poweroff');
    await waitFor(() => this.state().power === 'off', { what: `${this.name} to power off`, seconds: 30, everyMs: 50 });
  }

  async powerOn(): Promise<void> {
    writeFileSync(this.files.powerButton, '');
    await this.waitForInit();
  }

  /** Disconnects the node from the network; it stays disconnected across reboots. */
  async partition(): Promise<void> {
    writeFileSync(this.files.partitioned, '');
    await mustRun('ip', ['link', 'set', this.paths.veth, 'down']);
  }

  async heal(): Promise<void> {
    rmSync(this.files.partitioned, { force: true });
    await mustRun('ip', ['link', 'set', this.paths.veth, 'up']);
  }

  /** Sets the time between the end of a boot and the start of the next. */
  setFirmwareDelay(seconds: number): void {
    writeFileSync(this.files.firmwareSeconds, String(seconds));
  }

  /** Makes the wall clock of the machine differ by that many seconds, from now on and in later boots, until the shift is stopped. */
  shiftClock(seconds: number): ClockShift {
    return new ClockShift(this.paths.cgroup, seconds);
  }

  /** Sets the slot of the next boot only. */
  nextSlot(slot: Slot): void {
    writeFileSync(this.files.nextSlot, slot);
  }

  /** Writes the version to all slots. It takes effect at the next boot. */
  resetOs(version: KairosVersion): void {
    for (const slot of SLOTS) writeSlot(this.paths.disk, slot, version);
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

  /** Host path of a file in the node's persistent folders: /var, /usr/local, /oem, /root and /etc/kubernetes. */
  hostPath(path: string): string {
    return join(this.paths.disk, 'persist', path);
  }

  /** Processes in the node's PID namespace, including containers with hostPID, whose command line contains the text. */
  processes(text: string): ProcessRecord[] {
    const { init } = this.state();
    if (!isAlive(init)) return [];
    const namespaceOf = (pid: string | number) => readlinkSync(`/proc/${pid}/ns/pid`);
    const own = namespaceOf(init.pid);
    return readdirSync('/proc')
      .filter(pid => /^\d+$/.test(pid))
      .flatMap(pid => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
          return command.includes(text) && namespaceOf(pid) === own ? [recordOf(Number(pid))] : [];
        } catch {
          return []; // It has ended in the meantime.
        }
      })
      .filter(record => record !== undefined);
  }

  /** Imports a docker archive into the node's containerd, unless this file was already imported. */
  async importImage(tar: string): Promise<void> {
    const ref = await refOf(tar);
    if (hasImage(this.paths.disk, ref, tar)) return;
    await this.waitForInit();
    // Before the socket exists, ctr would wait for its whole connection timeout.
    const probe = 'test -S /run/containerd/containerd.sock && ctr --connect-timeout 1s version';
    const isReady = async () => (await this.exec('sh', '-c', probe)).code === 0;
    await waitFor(isReady, { what: `containerd of ${this.name}`, seconds: 60 });
    const result = await this.execWith({ stdinFile: tar }, 'ctr', '-n', 'k8s.io', 'images', 'import', '-');
    if (result.code !== 0) throw new Error(`${this.name} cannot import ${tar}: ${result.stderr.trim()}`);
    markImage(this.paths.disk, ref, tar);
  }

  /** Waits until the node's init process is running. */
  async waitForInit(): Promise<void> {
    mkdirSync(this.paths.control, { recursive: true });
    await waitFor(() => isAlive(this.state().init), { what: `${this.name} to boot`, seconds: 90, everyMs: 20 });
  }
}

async function refOf(tar: string): Promise<string> {
  const text = await mustRun('tar', ['-xOf', tar, '--occurrence=1', 'manifest.json']);
  const [entry] = JSON.parse(text) as { RepoTags: string[] }[];
  const ref = entry?.RepoTags[0];
  if (ref === undefined) throw new Error(`${tar} contains no image name`);
  return ref;
}
