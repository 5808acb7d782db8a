/** Boots QEMU machines from built artifacts. The processor is emulated, so a boot is slow. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from './packages.js';
import { waitFor } from './wait.js';

const BOOT_TIMEOUT_SECONDS = 300;

/** What the machine boots from. */
export type BootSource =
  | { medium: string }
  | { disk: string; format?: 'raw' | 'vpc' }
  /** A folder with the files of an EFI system partition. */
  | { tree: string }
  /** An iPXE script. */
  | { network: string };

/** UEFI firmware. With `secure` it starts only programs signed by an enrolled key. A machine without firmware has a BIOS. */
export interface Firmware {
  folder: string;
  secure?: boolean;
}

const drive = (...properties: string[]) => ['-drive', properties.join(',')];

function sourceFlags(source: BootSource, work: string): string[] {
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

function firmwareFlags({ folder, secure = false }: Firmware, work: string): string[] {
  const [code, variablesTemplate] = secure
    ? ['OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.snakeoil.fd']
    : ['OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'];
  const variables = join(work, 'variables');
  copyFileSync(join(folder, 'OVMF', variablesTemplate), variables);
  return [
    ...['-machine', `q35,smm=${secure ? 'on' : 'off'}`],
    ...(secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...drive('if=pflash,unit=0,format=raw,readonly=on', `file=${join(folder, 'OVMF', code)}`),
    ...drive('if=pflash,unit=1,format=raw', `file=${variables}`),
  ];
}

/** Returns the serial output until the machine exits or the output matches `until`. The source is not modified. */
export async function bootInEmulator(source: BootSource, until?: RegExp, firmware?: Firmware): Promise<string> {
  await ensurePackages(['qemu-system-x86_64'], line => process.stderr.write(`${line}\n`));
  const work = mkdtempSync(join(tmpdir(), 'boot-'));
  const log = join(work, 'serial');
  const machine = ['-accel', 'tcg', '-cpu', 'max', '-smp', '1', '-m', '512', '-no-reboot'];
  const lines = ['-display', 'none', '-monitor', 'none', '-serial', `file:${log}`];
  const from = [...(firmware ? firmwareFlags(firmware, work) : []), ...sourceFlags(source, work)];
  const command = ['--adjustment=5', 'qemu-system-x86_64', ...machine, ...lines, ...from];
  const child = spawn('nice', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    return await serialOutput(child, log, until);
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(work, { recursive: true, force: true });
  }
}

async function serialOutput(child: ChildProcess, log: string, until?: RegExp): Promise<string> {
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => (errors += text.toString()));
  const output = () => `${existsSync(log) ? readFileSync(log, 'latin1') : ''}\n${errors}`;
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  const lastOutput = () => output().slice(-2000);
  await waitFor(() => hasExited() || until?.test(output()), {
    what: 'the emulated machine to exit or to print the expected output',
    seconds: BOOT_TIMEOUT_SECONDS,
    everyMs: 250,
    diagnose: lastOutput,
  });
  return output();
}
