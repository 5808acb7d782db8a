/** Whether this host is Kairos and which release it runs, from the text of `/etc/kairos-release` and `/etc/os-release`. */
import type { Release } from '../api/release.js';
import { type Fields, goArch, kairosFields, parseFields, releaseFromFields } from '../api/release-text.js';

/** What the release files contain. `fields` are the `KAIROS_*` keys without their prefix. */
export interface Identity {
  from: 'kairos-release' | 'os-release';
  fields: Fields;
}

/** A longer value means a damaged file. As an annotation it could make the API server reject the whole patch of the Node. */
const MAX_VALUE_LENGTH = 4096;

const fieldsOf = (text: string): Fields =>
  Object.fromEntries(Object.entries(parseFields(text)).filter(([, value]) => value.length <= MAX_VALUE_LENGTH));

/** Undefined when the host is not Kairos. `os-release` counts only when `kairos-release` has no `KAIROS_*` keys. */
export function identify(files: { kairosRelease?: string; osRelease?: string }): Identity | undefined {
  const kairos = kairosFields(fieldsOf(files.kairosRelease ?? ''));
  if (Object.keys(kairos).length > 0) return { from: 'kairos-release', fields: kairos };
  const os = fieldsOf(files.osRelease ?? '');
  if (!/kairos/i.test(os.ID ?? '')) return undefined;
  return { from: 'os-release', fields: kairosFields(os) };
}

/** What only the running machine knows. */
export interface Machine {
  /** CPU architecture, in Node.js or Go spelling. */
  arch: string;
  /** Whether it was started from a Unified Kernel Image. */
  trustedBoot: boolean;
}

/** The release that the NodeAgent reports: the machine supplies what the files leave open. */
export function hostRelease({ fields }: Identity, machine: Machine): Release {
  const release = releaseFromFields(fields);
  return {
    ...release,
    arch: release.arch ?? goArch(machine.arch),
    trustedBoot: machine.trustedBoot || release.trustedBoot === true,
  };
}
