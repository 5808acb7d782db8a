/** Which of its systems the machine started from: the kernel command line, and for trusted boot the entry that systemd-boot chose. */
import type { BootState } from '../api/node-agent.js';

/** EFI variable in which systemd-boot names the entry it started. */
export const LOADER_ENTRY = '/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

export interface BootClues {
  cmdline: string;
  /** Text of the EFI variable, where there is one. */
  loaderEntry?: string;
}

/** First hit holds. Recovery may be a live image too, hence live media come last. */
const CMDLINE: readonly (readonly [RegExp, BootState])[] = [
  [/\bCOS_RECOVERY\b|\bCOS_SYSTEM\b|\brecovery\.(img|squashfs)\b|(^|\s)recovery-mode\b/, 'recovery'],
  [/\bCOS_PASSIVE\b|\bpassive\.img\b/, 'passive'],
  [/\bCOS_ACTIVE\b|\bactive\.img\b/, 'active'],
  [/(^|[\s=])live:|(^|\s)(cdroot|netboot|install-mode)\b/, 'livecd'],
];

const LOADER: readonly (readonly [RegExp, BootState])[] = [
  [/^recovery|^statereset/i, 'recovery'],
  [/^passive/i, 'passive'],
  [/^active/i, 'active'],
  [/^norole/i, 'livecd'],
];

/** Started from a Unified Kernel Image, which carries its own command line. */
export const isTrustedBoot = (cmdline: string): boolean => /(^|\s)rd\.immucore\.uki(\s|=|$)/.test(cmdline);

export function bootState({ cmdline, loaderEntry }: BootClues): BootState {
  if (isTrustedBoot(cmdline)) {
    /* Every entry of an image has the same command line: only the loader knows which one it was. */
    return firstHit(LOADER, loaderEntry ?? '') ?? firstHit(CMDLINE, cmdline) ?? 'unknown';
  }
  return firstHit(CMDLINE, cmdline) ?? 'unknown';
}

const firstHit = (table: readonly (readonly [RegExp, BootState])[], text: string) =>
  table.find(([pattern]) => pattern.test(text))?.[1];

/** The file of an EFI variable: four bytes of attributes, then UTF-16 with a zero at the end. */
export const efiText = (bytes: Buffer): string => bytes.subarray(4).toString('utf16le').split('\0')[0] ?? '';
