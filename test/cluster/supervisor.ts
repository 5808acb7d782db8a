/**
 * Emulates the machine under one node: boots it, and boots it again after a reboot request. Runs as a separate process in a mount
 * namespace of its own, so that nothing is ever mounted on the host. Argument: the file with its MachineConfig.
 *
 * Inside a PID namespace reboot(2) kills the init process, and the signal identifies the request: SIGHUP is a reboot, SIGINT a power
 * off, and any other end is a power cut. The kernel then removes the namespace's mounts, network and containers.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HIERARCHIES, createCgroups, removeCgroups } from './cgroups.js';
import { CANNOT_BOOT, slotLabel, type Slot, SLOTS } from './kairos-identity.js';
import { controlFiles, type MachineConfig, type MachineState } from './machine-files.js';
import { recordOf, writeAtomically } from './process-record.js';

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as MachineConfig;
const files = controlFiles(config.control);
mkdirSync(config.control, { recursive: true });
mkdirSync(dirname(config.log), { recursive: true });

let boots = 0;
for (;;) {
  const outcome = await bootOnce();
  log(`ended ${outcome}`);
  await removeCgroups(config.cgroup);
  if (outcome !== 'reboot') await stayPoweredOff(outcome);
  const delay = Number(readText(files.firmwareSeconds) ?? '0');
  if (delay > 0) await sleep(delay * 1000);
}

async function bootOnce(): Promise<'reboot' | 'poweroff' | 'power-cut'> {
  await removeCgroups(config.cgroup);
  createCgroups(config.cgroup);
  const bootId = randomUUID();
  const slot = chooseSlot();
  boots += 1;
  log(`boot ${bootId} slot ${slot}`);
  const child = launch(bootId, slot);
  const exit = once(child, 'exit');
  const init = await firstChild(child);
  if (init !== undefined) {
    try {
      connectNetwork(init);
      const record = recordOf(init);
      if (record !== undefined) saveState({ power: 'on', bootId, slot, boots, init: record });
    } catch (error) {
      log(`no network: ${String(error)}`); // The node has already ended, or boot.sh exits because eth0 is missing.
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

/** The first process of the new PID namespace is the only child of the launched process. */
async function firstChild(child: ChildProcess): Promise<number | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    const pid = Number(readText(`/proc/${child.pid}/task/${child.pid}/children`)?.trim().split(' ')[0]);
    if (pid > 0) return pid;
    await sleep(10);
  }
  return undefined;
}

/** Connects the node to the network: one end of a veth pair is on the bridge, the other is eth0 in the node. */
function connectNetwork(init: number): void {
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    if (existsSync(`/sys/class/net/${config.veth}`)) ip('link', 'del', config.veth);
  } catch (error) {
    // The kernel removes the link of the last boot with its namespace, possibly between check and deletion.
    if (existsSync(`/sys/class/net/${config.veth}`)) throw error;
  }
  ip('link', 'add', config.veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(init));
  ip('link', 'set', config.veth, 'master', config.bridge, existsSync(files.partitioned) ? 'down' : 'up');
}

/** Waits for the power button. After a power cut the machine boots again on its own unless `stay-off` exists. */
async function stayPoweredOff(outcome: 'poweroff' | 'power-cut'): Promise<void> {
  saveState({ power: 'off', boots });
  if (outcome === 'power-cut' && !existsSync(files.stayOff)) return;
  while (!existsSync(files.powerButton)) await sleep(50);
  for (const file of [files.powerButton, files.stayOff]) rmSync(file, { force: true });
}

/** Returns the requested slot, active by default. Like a boot loader, falls back to passive if the active system cannot boot. */
function chooseSlot(): Slot {
  const requested = readText(files.nextSlot)?.trim();
  rmSync(files.nextSlot, { force: true });
  const slot = SLOTS.find(each => each === requested) ?? 'active';
  const active = join(config.environment['DISK'] ?? '', 'cos-state/active/etc');
  return slot === 'active' && existsSync(join(active, CANNOT_BOOT)) ? 'passive' : slot;
}

function saveState(state: MachineState): void {
  writeAtomically(files.state, state);
}

function log(line: string): void {
  appendFileSync(config.log, `${new Date().toISOString()} ${line}\n`);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
