/** Reads everything that the agent knows of its host, afresh for each reconciliation. Nothing is written here. */
import type { NodeAgentStatus, System } from '../api/node-agent.js';
import type { Release } from '../api/release.js';
import { bootState, isTrustedBoot, LOADER_ENTRY, LOADER_PARTITION } from './boot-state.js';
import { type ReadError, tryRead } from './read-errors.js';
import type { Host } from './host.js';
import { goArch } from '../api/release-text.js';
import { hostRelease, type Identity, identify } from './release.js';

/** What the agent knows of its host at one moment. */
export interface Facts {
  boot: NonNullable<NodeAgentStatus['boot']>;
  /** Absent when the host is not Kairos. */
  identity?: Identity;
  release?: Release;
  /** The release files cannot be read, so it is unknown whether the host is Kairos: labels and release stay as they are. */
  identityUnknown?: boolean;
  /** By the clock of the host. */
  now?: Date;
  /** Seconds since the boot. */
  uptimeSeconds?: number;
  /** Why the state directory cannot be written. */
  stateDirError?: string;
  /** Files that cannot be read, and why, as the status reports them. */
  fileErrors?: string[];
  /** Whether the agent is kept from writing to other Nodes; absent before that was tried. */
  fence?: NodeAgentStatus['fence'];
  /** The hardware; present only with SYSTEM_FACTS. */
  system?: System;
}

export const ETC = '/etc';
/** The files in `/etc` that the facts are read from. */
export const RELEASE_FILES = ['kairos-release', 'os-release'] as const;

/**
 * Reads boot and release of the host. An unreadable release file or boot entry becomes a read error; an unreadable `/proc` throws, since
 * nothing can be decided without the boot id.
 */
export async function observe(host: Host): Promise<{ facts: Facts; readErrors: ReadError[] }> {
  const readEtc = (file: string) => tryRead(`${ETC}/${file}`, host.readLinked(`${ETC}/${file}`));
  const [kairos, os, loader, cmdline, id, since] = await Promise.all([
    readEtc('kairos-release'),
    readEtc('os-release'),
    tryRead(LOADER_ENTRY, host.loaderEntry()),
    host.cmdline(),
    host.bootId(),
    host.bootedAt(),
  ]);
  /* Other systems have a command line of their own. */
  const partition = isTrustedBoot(cmdline) ? await tryRead(LOADER_PARTITION, host.isStartedFromPartition()) : undefined;
  const readErrors = [kairos, os, loader, partition].flatMap(read => read?.error ?? []);
  const evidence = { cmdline, loaderEntry: loader.value, fromPartition: partition?.value };
  const boot = { id, since: since.toISOString(), state: bootState(evidence) };
  const identity = identify({ kairosRelease: kairos.value, osRelease: os.value });
  /* An unreadable kairos-release might have more keys than os-release, so os-release must not replace it. */
  if (kairos.error || (!identity && os.error)) return { facts: { boot, identityUnknown: true }, readErrors };
  if (!identity) return { facts: { boot }, readErrors };
  const release = hostRelease(identity, { arch: goArch(host.arch()), trustedBoot: isTrustedBoot(cmdline) });
  return { facts: { boot, identity, release }, readErrors };
}
