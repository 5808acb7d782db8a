/** How texts in the spec of an OSArtifact are read. */

const MIB_OF: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024, T: 1024 ** 2 };

/** auroraboot accepts a number of MiB only. */
export const mebibytes = (diskSize: string): number =>
  Math.ceil(Number.parseInt(diskSize, 10) * (MIB_OF[diskSize.slice(-1)] ?? 1));

/** Whether a text is the content of a release file; otherwise it is a version, which is one word. */
export const isContent = (release: string): boolean => /[=\n]/.test(release);

/** The size of the claim that is created where the spec has no `volume`. */
export const DEFAULT_CLAIM_SIZE = '10Gi';

const BYTES_OF: Readonly<Record<string, number>> = Object.fromEntries(
  ['k', 'M', 'G', 'T', 'P', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'].map((unit, index) => [
    unit,
    (unit.endsWith('i') ? 1024 : 1000) ** ((index % 5) + 1),
  ]),
);

/** A quantity of Kubernetes, such as 10Gi, in MiB; undefined in another form. */
export function quantityMiB(quantity: unknown): number | undefined {
  const [, count, unit] = /^([0-9]+(?:\.[0-9]+)?)([kMGTP]|[KMGTP]i)?$/.exec(String(quantity)) ?? [];
  return count === undefined
    ? undefined
    : (Number(count) * (unit === undefined ? 1 : (BYTES_OF[unit] ?? 1))) / 1024 ** 2;
}
