/**
 * The machine under one node: boots it, and boots it again when it asked for a reboot. Runs as its own process in its own mount
 * namespace, so that nothing is ever mounted on the host. Argument: the file with its MachineConfig.
 *
 * Inside a PID namespace reboot(2) ends the namespace, and the way it ends tells what was asked: SIGHUP is a reboot, SIGINT a power off,
 * anything else was a power cut. The kernel takes mounts, network and containers with it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HIERARCHIES, makeCgroups, removeCgroups } from './cgroups.js';
import { CANNOT_BOOT, slotLabel, type Slot, SLOTS } from './kairos-identity.js';
import { control, type MachineConfig, type MachineState } from './machine-files.js';
import { recordOf, writeWhole } from './process-record.js';

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as MachineConfig;
const files = control(config.control);
mkdirSync(config.control, { recursive: true });
mkdirSync(dirname(config.log), { recursive: true });

let boots = 0;
for (;;) {
  const ended = await bootOnce();
  log(`ended ${ended}`);
  await removeCgroups(config.cgroup);
  if (ended !== 'reboot') await powerIsOff(ended);
  const delay = Number(content(files.firmwareSeconds) ?? '0');
  if (delay > 0) await sleep(delay * 1000);
}

async function bootOnce(): Promise<'reboot' | 'poweroff' | 'power-cut'> {
  await removeCgroups(config.cgroup);
  makeCgroups(config.cgroup);
  const bootId = randomUUID();
  const slot = takeSlot();
  boots += 1;
  log(`boot ${bootId} slot ${slot}`);
  const child = launch(bootId, slot);
  const exit = once(child, 'exit');
  const init = await firstChild(child);
  if (init !== undefined) {
    try {
      connect(init);
      const record = recordOf(init);
      if (record !== undefined) save({ power: 'on', bootId, slot, boots, init: record });
    } catch (error) {
      log(`no network: ${String(error)}`); // it died already, or boot.sh gives up for want of eth0
    }
  }
  const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null];
  if (signal === 'SIGHUP' || code === 129) return 'reboot';
  return signal === 'SIGINT' || code === 130 ? 'poweroff' : 'power-cut';
}

function launch(bootId: string, slot: Slot): ChildProcess {
  const output = openSync(config.bootLog, 'a');
  const enter = join(config.environment['FILES'] ?? '', 'enter.sh');
  const boot = join(config.environment['FILES'] ?? '', 'boot.sh');
  return spawn('/bin/sh', [enter, config.cgroup, HIERARCHIES.join(' '), boot], {
    stdio: ['ignore', output, output],
    env: { ...config.environment, PATH: process.env['PATH'], BOOT_ID: bootId, SLOT: slot, SLOT_LABEL: slotLabel(slot) },
  });
}

/** The first process of the new PID namespace is the only child of the launched one. */
async function firstChild(child: ChildProcess): Promise<number | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    const pid = Number(content(`/proc/${child.pid}/task/${child.pid}/children`)?.trim().split(' ')[0]);
    if (pid > 0) return pid;
    await sleep(10);
  }
  return undefined;
}

/** Plugs the node's cable in: one end on the bridge, the other is eth0 in the node. */
function connect(init: number): void {
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    if (existsSync(`/sys/class/net/${config.veth}`)) ip('link', 'del', config.veth);
  } catch (error) {
    // the cable of the last boot goes with its namespace, a moment after it: it may be gone between look and deed
    if (existsSync(`/sys/class/net/${config.veth}`)) throw error;
  }
  ip('link', 'add', config.veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(init));
  ip('link', 'set', config.veth, 'master', config.bridge, existsSync(files.partitioned) ? 'down' : 'up');
}

/** Off until somebody presses the button; a power cut comes back by itself unless it was asked to stay. */
async function powerIsOff(ended: 'poweroff' | 'power-cut'): Promise<void> {
  save({ power: 'off', boots });
  if (ended === 'power-cut' && !existsSync(files.stayOff)) return;
  while (!existsSync(files.powerButton)) await sleep(50);
  for (const file of [files.powerButton, files.stayOff]) rmSync(file, { force: true });
}

/** The slot asked for; the passive one where the active system cannot boot, as a boot loader would. */
function takeSlot(): Slot {
  const asked = content(files.nextSlot)?.trim();
  rmSync(files.nextSlot, { force: true });
  const slot = SLOTS.find(each => each === asked) ?? 'active';
  const active = join(config.environment['DISK'] ?? '', 'cos-state/active/etc');
  return slot === 'active' && existsSync(join(active, CANNOT_BOOT)) ? 'passive' : slot;
}

function save(state: MachineState): void {
  writeWhole(files.state, state);
}

function log(line: string): void {
  appendFileSync(config.log, `${new Date().toISOString()} ${line}\n`);
}

function content(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
