/** Parses the text of `/etc/kairos-release` and `/etc/os-release`. Nothing in it is executed. */
import type { Release } from './release.js';

/** Keys and values of a file in the format of os-release(5). */
export type Fields = Readonly<Record<string, string>>;

/** In characters. Longer ones do not belong to a release file. */
const LONGEST_LINE = 8192;
const PREFIX = 'KAIROS_';
const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** Parses one assignment per line, in the format of os-release(5). Other lines, and very long ones, are ignored; of a repeated key the last value counts, as in a shell. */
export function parseFields(text: string): Fields {
  const fields = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line.length > LONGEST_LINE) continue;
    const [, key, value] = LINE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, withoutQuotes(value.trim()));
  }
  return Object.fromEntries(fields);
}

/** The pattern has no repetition: its cost must not grow with the square of a row of spaces. */
function withoutComment(value: string): string {
  const start = value.search(/\s#/);
  return start < 0 ? value : value.slice(0, start).trimEnd();
}

/** Inside double quotes, a backslash escapes the characters that are special to a shell there (os-release(5)). */
function withoutQuotes(value: string): string {
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(value)?.[1];
  if (double !== undefined) return double.replace(/\\([$"\\`])/g, '$1');
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(value)?.[1];
  if (single !== undefined) return single;
  return withoutComment(value).replace(/^["']|["']$/g, '');
}

/** The `KAIROS_*` keys without their prefix. */
export const kairosFields = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      key.startsWith(PREFIX) && key !== PREFIX ? [[key.slice(PREFIX.length), value]] : [],
    ),
  );

/** These keys identify a Kairos system; others may be leftovers of the image that it was built from. */
const IDENTIFYING = ['ID', 'VERSION'] as const;

/**
 * The file that the release is read from: of several, in order, the first that identifies a Kairos system, otherwise the first with any
 * value. Kairos up to v3.2.1 has no kairos-release and keeps its keys in os-release. `files` hold keys without their prefix; -1 when none counts.
 * `PROBE_SCRIPT` chooses between the files of an image by the same rule.
 */
export function releaseFileIndex(files: readonly Fields[]): number {
  const identifying = files.findIndex(fields => IDENTIFYING.some(key => (fields[key] ?? '') !== ''));
  return identifying >= 0 ? identifying : files.findIndex(fields => Object.values(fields).some(value => value !== ''));
}

const GO_NAMES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x64', 'amd64'],
  ['aarch64', 'arm64'],
]);
/** The GOARCH name of a CPU architecture, from its name in uname(2), Node.js or Go; an unknown name is returned unchanged. */
export const goArch = (arch: string): string => GO_NAMES.get(arch) ?? arch;

/** The release of the keys (without their prefix). Fields without a value are absent; nothing is guessed. */
export function releaseFromFields(fields: Fields): Release {
  const text = (key: string) => (fields[key] === '' ? undefined : fields[key]);
  const flag = (key: string) => {
    const value = text(key);
    return value === undefined ? undefined : /^(true|yes|1|on|enabled|fips)$/i.test(value);
  };
  const arch = text('ARCH');
  const release: Release = {
    version: text('VERSION'),
    softwareVersion: text('SOFTWARE_VERSION'),
    softwareVersionPrefix: text('SOFTWARE_VERSION_PREFIX'),
    id: text('ID'),
    name: text('NAME'),
    family: text('FAMILY'),
    flavor: text('FLAVOR'),
    flavorRelease: text('FLAVOR_RELEASE'),
    variant: text('VARIANT'),
    model: text('MODEL'),
    arch: arch === undefined ? undefined : goArch(arch),
    trustedBoot: flag('TRUSTED_BOOT'),
    fips: flag('FIPS'),
  };
  return Object.fromEntries(Object.entries(release).filter(([, value]) => value !== undefined));
}

/** The release in the text of a release file; undefined when it has no `KAIROS_*` key with a value. */
export function parseRelease(text: string): Release | undefined {
  const release = releaseFromFields(kairosFields(parseFields(text)));
  return Object.keys(release).length === 0 ? undefined : release;
}
