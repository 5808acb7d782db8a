/** Everything the agent knows of its host, gathered anew for each decision. Reads only. */
import type { NodeAgentStatus, System } from '../api/node-agent.js';
import type { Release } from '../api/release.js';
import { bootState, isTrustedBoot, LOADER_ENTRY } from './boot-state.js';
import { type ReadError, tryRead } from './read-errors.js';
import type { Host } from './host.js';
import { goArch } from '../api/release-text.js';
import { type Identity, identify, releaseOf } from './release.js';

export interface Facts {
  boot: NonNullable<NodeAgentStatus['boot']>;
  /** Absent: not a Kairos host. */
  identity?: Identity;
  release?: Release;
  /** What should tell whether this is a Kairos host cannot be read: nothing is taken back on that. */
  unsure?: boolean;
  /** Only where it was asked for. */
  system?: System;
}

export const ETC = '/etc';
/** The files in it that the facts come from. */
export const RELEASE_FILES = ['kairos-release', 'os-release'] as const;

export async function observe(host: Host): Promise<{ facts: Facts; faults: ReadError[] }> {
  const readEtc = (file: string) => tryRead(`${ETC}/${file}`, host.read(`${ETC}/${file}`));
  const [kairos, os, loader, cmdline, id, since] = await Promise.all([
    readEtc('kairos-release'),
    readEtc('os-release'),
    tryRead(LOADER_ENTRY, host.loaderEntry()),
    host.cmdline(),
    host.bootId(),
    host.bootedAt(),
  ]);
  const faults = [kairos, os, loader].flatMap(({ fault }) => fault ?? []);
  const boot = { id, since: since.toISOString(), state: bootState({ cmdline, loaderEntry: loader.value }) };
  const identity = identify({ kairosRelease: kairos.value, osRelease: os.value });
  /* What os-release says is heard only where there is no release file of Kairos; that one would have said more. */
  if (kairos.fault || (!identity && os.fault)) return { facts: { boot, unsure: true }, faults };
  if (!identity) return { facts: { boot }, faults };
  const release = releaseOf(identity, { arch: goArch(host.arch()), trustedBoot: isTrustedBoot(cmdline) });
  return { facts: { boot, identity, release }, faults };
}
