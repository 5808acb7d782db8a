/** Everything the agent knows of its host, gathered anew for each decision. Reads only. */
import type { NodeAgentStatus } from '../api/node-agent.js';
import type { Release } from '../api/release.js';
import { bootState, isTrustedBoot } from './boot-state.js';
import type { Host } from './host.js';
import { goArch } from '../api/release-text.js';
import { type Identity, identify, releaseOf } from './release.js';

export interface Facts {
  boot: NonNullable<NodeAgentStatus['boot']>;
  /** Absent: not a Kairos host. */
  identity?: Identity;
  release?: Release;
}

export const ETC = '/etc';
/** The files in it that the facts come from. */
export const RELEASE_FILES = ['kairos-release', 'os-release'] as const;

export async function observe(host: Host): Promise<Facts> {
  const [kairosRelease, osRelease, cmdline, loaderEntry, id, since] = await Promise.all([
    host.read(`${ETC}/kairos-release`),
    host.read(`${ETC}/os-release`),
    host.cmdline(),
    host.loaderEntry(),
    host.bootId(),
    host.bootedAt(),
  ]);
  const boot = { id, since: since.toISOString(), state: bootState({ cmdline, loaderEntry }) };
  const identity = identify({ kairosRelease, osRelease });
  if (!identity) return { boot };
  const release = releaseOf(identity, { arch: goArch(host.arch()), trustedBoot: isTrustedBoot(cmdline) });
  return { boot, identity, release };
}
