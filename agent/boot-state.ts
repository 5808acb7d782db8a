/** Which of its systems the machine booted: from the kernel command line and, with trusted boot, from the entry that systemd-boot selected. */
import type { BootState } from '../api/node-agent.js';

/** EFI variable in which systemd-boot stores the selected entry (Boot Loader Interface, `LoaderEntrySelected`). */
export const LOADER_ENTRY = '/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

/**
 * EFI variable in which systemd-boot, or the stub of a Unified Kernel Image, stores the partition that it was started from. It is volatile, and
 * absent after a start from the network or from an optical medium.
 */
export const LOADER_PARTITION = '/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

export interface BootEvidence {
  cmdline: string;
  /** Whether the boot loader was started from a partition; undefined where that cannot be known. */
  fromPartition?: boolean;
  /** Text of the EFI variable, where it exists. */
  loaderEntry?: string;
}

/** Kairos copied its system to memory: the medium may be a live one, yet the running system is the installed one. */
const IN_RAM = /(^|\s)kairos\.ram([.=\s]|$)/;

/**
 * The first match wins. The order of the labels is that of kairos-sdk: active before passive before recovery, whatever words follow. Systems
 * without such a label are identified by the file that was booted. A recovery system may be a live image too, so live media are last.
 */
const CMDLINE: readonly (readonly [RegExp, BootState])[] = [
  [IN_RAM, 'active'],
  [/COS_ACTIVE/, 'active'],
  [/COS_PASSIVE/, 'passive'],
  [/COS_RECOVERY|COS_SYSTEM|(^|\s)recovery-mode\b/, 'recovery'],
  [/\bactive\.img\b/, 'active'],
  [/\bpassive\.img\b/, 'passive'],
  [/\brecovery\.(img|squashfs)\b/, 'recovery'],
  [/(^|[\s=])live:|(^|\s)(cdroot|netboot|install-mode)\b/, 'livecd'],
];

const LOADER: readonly (readonly [RegExp, BootState])[] = [
  [/^recovery|^statereset/i, 'recovery'],
  [/^passive/i, 'passive'],
  [/^active/i, 'active'],
  [/^norole/i, 'livecd'],
];

/** Whether the machine was started from a Unified Kernel Image, which carries its own command line. */
export const isTrustedBoot = (cmdline: string): boolean => /(^|\s)rd\.immucore\.uki(\s|=|$)/.test(cmdline);

/** The system that was booted; `unknown` when neither the command line nor the boot loader identifies it. */
export function bootState({ cmdline, loaderEntry, fromPartition }: BootEvidence): BootState {
  if (isTrustedBoot(cmdline) && !IN_RAM.test(cmdline)) {
    /* All entries of a Unified Kernel Image have the same command line, so only the boot loader knows which one was started. */
    const state = firstMatch(LOADER, loaderEntry ?? '') ?? firstMatch(CMDLINE, cmdline);
    return state ?? (fromPartition === false ? 'livecd' : 'unknown');
  }
  return firstMatch(CMDLINE, cmdline) ?? 'unknown';
}

const firstMatch = (table: readonly (readonly [RegExp, BootState])[], text: string) =>
  table.find(([pattern]) => pattern.test(text))?.[1];

/** Decodes the efivarfs file of a text variable: four bytes of attributes, then NUL-terminated UTF-16. */
export const efiText = (bytes: Buffer): string => bytes.subarray(4).toString('utf16le').split('\0')[0] ?? '';
