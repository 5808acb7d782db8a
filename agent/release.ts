/** Whether this host is Kairos and which release it runs, from the text of `/etc/kairos-release` and `/etc/os-release`. */
import type { Release } from '../api/release.js';
import {
  type Fields,
  goArch,
  kairosFields,
  parseFields,
  releaseFileIndex,
  releaseFromFields,
} from '../api/release-text.js';

/** What the release files contain. `fields` are the `KAIROS_*` keys without their prefix. */
export interface Identity {
  from: 'kairos-release' | 'os-release';
  fields: Fields;
  /** Identified by the word "kairos" in the `ID` of os-release; the documents promise such a host only the labels that need no keys. */
  isByName?: true;
}

/** A longer value means a damaged file. As an annotation it could make the API server reject the whole patch of the Node. */
const MAX_VALUE_LENGTH = 4096;

const fieldsOf = (text: string): Fields =>
  Object.fromEntries(Object.entries(parseFields(text)).filter(([, value]) => value.length <= MAX_VALUE_LENGTH));

/** Undefined when the host is not Kairos: neither file has a value of a `KAIROS_*` key, and the `ID` of os-release does not contain "kairos". */
export function identify(files: { kairosRelease?: string; osRelease?: string }): Identity | undefined {
  const kairos = kairosFields(fieldsOf(files.kairosRelease ?? ''));
  const os = fieldsOf(files.osRelease ?? '');
  const fromOs = { from: 'os-release', fields: kairosFields(os) } as const;
  const index = releaseFileIndex([kairos, fromOs.fields]);
  if (index === 0) return { from: 'kairos-release', fields: kairos };
  if (/kairos/i.test(os.ID ?? '')) return { ...fromOs, isByName: true };
  return index === 1 ? fromOs : undefined;
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
