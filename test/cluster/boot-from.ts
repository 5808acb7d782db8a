/** Starts an emulated machine from what was built. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from './packages.js';
import { run } from './run-command.js';

/** No hardware helps: an emulated processor takes its time. */
const SECONDS = 400;

const DRIVES = {
  medium: (file: string) => [
    ...['-device', 'virtio-scsi-pci', '-device', 'scsi-cd,drive=cd'],
    ...['-drive', `file=${file},format=raw,if=none,id=cd,media=cdrom,readonly=on`],
  ],
  disk: (file: string) => ['-snapshot', '-drive', `file=${file},format=raw,if=virtio`],
};

/** What the machine said on its serial line until it ended. The file stays as it is. */
export async function bootedFrom(file: string, as: keyof typeof DRIVES): Promise<string> {
  await ensurePackages(['qemu-system-x86_64'], line => process.stderr.write(`${line}\n`));
  const folder = mkdtempSync(join(tmpdir(), 'boot-'));
  const log = join(folder, 'serial');
  try {
    const machine = ['-accel', 'tcg', '-cpu', 'max', '-smp', '1', '-m', '512', '-no-reboot'];
    const lines = ['-display', 'none', '-monitor', 'none', '-serial', `file:${log}`];
    const command = ['--adjustment=5', 'qemu-system-x86_64', ...machine, ...lines, ...DRIVES[as](file)];
    const { stderr } = await run('nice', command, { seconds: SECONDS });
    return `${readFileSync(log, 'latin1')}\n${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
