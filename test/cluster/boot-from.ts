/** Starts emulated machines from what was built. No hardware helps: an emulated processor takes its time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from './packages.js';
import { waitFor } from './wait.js';

const SECONDS = 300;

/** What a machine boots from. */
export type Source =
  | { medium: string }
  | { disk: string; format?: 'raw' | 'vpc' }
  /** Of a folder with the files of an EFI system partition. */
  | { tree: string }
  /** An iPXE script. */
  | { network: string };

/** `secure`: only programs signed by a key that the firmware knows. Without firmware, a BIOS. */
export interface Firmware {
  folder: string;
  secure?: boolean;
}

const drive = (...properties: string[]) => ['-drive', properties.join(',')];

function sourceOf(source: Source, work: string): string[] {
  if ('medium' in source)
    return [
      ...['-device', 'virtio-scsi-pci', '-device', 'scsi-cd,drive=cd'],
      ...drive(`file=${source.medium}`, 'format=raw,if=none,id=cd,media=cdrom,readonly=on'),
    ];
  if ('disk' in source)
    return ['-snapshot', ...drive(`file=${source.disk}`, `format=${source.format ?? 'raw'}`, 'if=virtio')];
  if ('tree' in source) return drive(`file=fat:${source.tree}`, 'format=raw,if=virtio,readonly=on');
  writeFileSync(join(work, 'start.ipxe'), `#!ipxe\n${source.network}\n`);
  const card = ['-device', 'virtio-net-pci,netdev=net', '-boot', 'n'];
  return ['-netdev', `user,id=net,tftp=${work},bootfile=start.ipxe`, ...card];
}

function firmwareOf({ folder, secure = false }: Firmware, work: string): string[] {
  const [code, known] = secure
    ? ['OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.snakeoil.fd']
    : ['OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'];
  const variables = join(work, 'variables');
  copyFileSync(join(folder, 'OVMF', known), variables);
  return [
    ...['-machine', `q35,smm=${secure ? 'on' : 'off'}`],
    ...(secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...drive('if=pflash,unit=0,format=raw,readonly=on', `file=${join(folder, 'OVMF', code)}`),
    ...drive('if=pflash,unit=1,format=raw', `file=${variables}`),
  ];
}

/** What the machine said on its serial line until it ended, or said the words. Files stay as they are. */
export async function bootedFrom(source: Source, until?: RegExp, firmware?: Firmware): Promise<string> {
  await ensurePackages(['qemu-system-x86_64'], line => process.stderr.write(`${line}\n`));
  const work = mkdtempSync(join(tmpdir(), 'boot-'));
  const log = join(work, 'serial');
  const machine = ['-accel', 'tcg', '-cpu', 'max', '-smp', '1', '-m', '512', '-no-reboot'];
  const lines = ['-display', 'none', '-monitor', 'none', '-serial', `file:${log}`];
  const from = [...(firmware ? firmwareOf(firmware, work) : []), ...sourceOf(source, work)];
  const command = ['--adjustment=5', 'qemu-system-x86_64', ...machine, ...lines, ...from];
  const child = spawn('nice', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    return await saidBy(child, log, until);
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(work, { recursive: true, force: true });
  }
}

async function saidBy(child: ChildProcess, log: string, until?: RegExp): Promise<string> {
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => (complaints += text.toString()));
  const said = () => `${existsSync(log) ? readFileSync(log, 'latin1') : ''}\n${complaints}`;
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const instead = () => said().slice(-2000);
  await waitFor(() => ended() || until?.test(said()), { what: 'a machine', seconds: SECONDS, everyMs: 250, instead });
  return said();
}
