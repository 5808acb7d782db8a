/**
 * The kinds of artifact that can be built. A kind is described here once: fields, rules, warnings and reserved names follow from its row,
 * and its row in `controller/artifact/build/kind-steps.ts` says how it is built.
 */

export interface Output {
  /** Of the field that requests it. */
  description: string;
  /** Container of the builder Pod that builds it. */
  step: string;
  /** Endings of its files. They follow the name of the files, which is that of the object or the one in `nameOverride`. */
  endings: readonly string[];
  hasCloudConfig: boolean;
  /** Whether the step creates device nodes and mounts file systems, which needs a privileged container. */
  isPrivileged?: boolean;
  /** Whether programs of the tool image become part of it: the node that builds it must have the requested architecture. */
  isNative?: boolean;
}

/** Requested by a boolean field, in both shapes of the spec. */
interface FlagKind extends Output {
  /** The kind whose files it is made from: that one is built first, and its name is the default for this one. */
  madeFrom?: string;
  /** Fields that only matter when this kind is requested. */
  settings?: readonly string[];
}

/** Requested by an object with a boolean field for each variant, in the nested shape only. */
export interface VariantKind<Variant extends string = string, Volume extends string = string> {
  description: string;
  /** What any of its variants is. */
  noun: string;
  variants: Readonly<Record<Variant, Output>>;
  /** Fields that name a volume which every variant needs, with their descriptions. */
  requiredVolumes: Readonly<Record<Volume, string>>;
}

export const MEDIA = {
  iso: {
    description: 'Build a bootable ISO image.',
    step: 'build-iso',
    endings: ['.iso', '.iso.sha256'],
    hasCloudConfig: true,
  },
} as const satisfies Record<string, FlagKind>;

/** `diskSize` is the size of each. */
export const DISK_IMAGES = {
  cloudImage: {
    description: 'Build a raw disk image.',
    step: 'build-cloud-image',
    endings: ['.raw'],
    hasCloudConfig: true,
    isPrivileged: true,
  },
  azureImage: {
    description: 'Build a disk image for Azure.',
    step: 'build-azure-cloud-image',
    endings: ['.vhd'],
    hasCloudConfig: true,
    isPrivileged: true,
  },
  gceImage: {
    description: 'Build a disk image for Google Compute Engine.',
    step: 'build-gce-cloud-image',
    endings: ['.gce.tar.gz'],
    hasCloudConfig: true,
    isPrivileged: true,
  },
} as const satisfies Record<string, FlagKind>;

export const NETWORK_BOOT = {
  netboot: {
    description: 'Build kernel, initrd and root file system for booting over the network.',
    step: 'build-netboot',
    endings: ['.squashfs', '-kernel', '-initrd'],
    hasCloudConfig: true,
    madeFrom: 'iso',
    settings: ['netbootURL'],
  },
} as const satisfies Record<string, FlagKind>;

export const VARIANT_KINDS = {
  uki: {
    description: 'Unified kernel images (UKI), for trusted boot.',
    noun: 'unified kernel image',
    variants: {
      iso: {
        description: 'Build a bootable ISO image with a unified kernel image.',
        step: 'build-uki-iso',
        endings: ['-uki.iso'],
        hasCloudConfig: true,
        isNative: true,
      },
      container: {
        description: 'Build a container image with a unified kernel image.',
        step: 'build-uki-container',
        endings: ['-uki.tar'],
        hasCloudConfig: false,
        isNative: true,
      },
      /* Its files are a whole EFI partition, whatever the name. */
      efi: {
        description: 'Build the unified kernel image as an EFI file.',
        step: 'build-uki-uki',
        endings: [],
        hasCloudConfig: false,
        isNative: true,
      },
    },
    requiredVolumes: {
      keysVolume:
        'Volume with the keys to sign with (db.key, db.pem, tpm2-pcr-private.pem) and those to enroll (db.auth, KEK.auth, PK.auth).',
    },
  },
} as const satisfies Record<string, VariantKind>;

export const FLAG_KINDS = { ...MEDIA, ...DISK_IMAGES, ...NETWORK_BOOT };
/** `resources` and `nameOverride` have a field for each. */
export const ARTIFACT_KINDS = { ...FLAG_KINDS, ...VARIANT_KINDS };

export type FlagKindName = keyof typeof FLAG_KINDS;
export type VariantKindName = keyof typeof VARIANT_KINDS;
export type ArtifactKind = keyof typeof ARTIFACT_KINDS;

/** One value for each key of a record. */
export const mapValues = <Key extends string, Value, Result>(
  record: Readonly<Record<Key, Value>>,
  make: (value: Value, key: Key) => Result,
): Record<Key, Result> =>
  Object.fromEntries(Object.entries<Value>(record).map(([key, value]) => [key, make(value, key as Key)])) as Record<
    Key,
    Result
  >;

export const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] =>
  Object.keys(record) as Key[];

/** The fields of a spec that request artifacts: those of `spec.artifacts`, or of the spec itself in the flat shape. */
export type ArtifactRequest = { readonly [Name in FlagKindName]?: boolean } & {
  readonly [Name in VariantKindName]?: {
    readonly [Variant in keyof (typeof VARIANT_KINDS)[Name]['variants']]?: boolean;
  };
};

export interface RequestedOutput extends Output {
  kind: ArtifactKind;
  /** It was not requested: another output is made from it, and its files are no result. */
  isSource?: boolean;
}

/** What a spec requests, in the order of the table. */
export function requestedOutputs(request: ArtifactRequest): RequestedOutput[] {
  const flagged = keysOf(FLAG_KINDS).filter(kind => request[kind] === true);
  const variants = keysOf(VARIANT_KINDS).flatMap(kind => {
    const all: Readonly<Record<string, Output>> = VARIANT_KINDS[kind].variants;
    const requested: Readonly<Record<string, unknown>> = request[kind] ?? {};
    return Object.entries(all).flatMap(([variant, output]) =>
      requested[variant] === true ? [{ ...output, kind }] : [],
    );
  });
  return [...flagged.map(kind => ({ ...FLAG_KINDS[kind], kind })), ...variants];
}

/** What is built for that: the requested outputs and those that they are made from. */
export function builtOutputs(request: ArtifactRequest): RequestedOutput[] {
  const rows: Readonly<Record<FlagKindName, FlagKind>> = FLAG_KINDS;
  const sources = keysOf(rows).flatMap(kind => (request[kind] === true ? (rows[kind].madeFrom ?? []) : []));
  const isRequested = (kind: string) =>
    Object.entries(request).some(([name, value]) => name === kind && value === true);
  const all = requestedOutputs({ ...request, ...Object.fromEntries(sources.map(source => [source, true])) });
  return all.map(output => (output.kind in rows && !isRequested(output.kind) ? { ...output, isSource: true } : output));
}

/** Fields below `spec.artifacts` that name a volume for a kind with variants. */
export const variantVolumes = (request: ArtifactRequest) =>
  keysOf(VARIANT_KINDS).flatMap(kind => {
    const names: Readonly<Record<string, unknown>> = request[kind] ?? {};
    return keysOf(VARIANT_KINDS[kind].requiredVolumes).map(field => ({ kind, field, name: names[field] }));
  });

/** Fields that have no effect because the kind that they configure is not requested. */
export const idleSettings = (request: ArtifactRequest) => {
  const rows: Readonly<Record<FlagKindName, FlagKind>> = FLAG_KINDS;
  return keysOf(rows).flatMap(kind =>
    request[kind] === true ? [] : (rows[kind].settings ?? []).map(setting => ({ setting, kind })),
  );
};

type VariantOf<Kind> = Kind extends { variants: Readonly<Record<string, infer Variant>> } ? Variant : never;
type AnyOutput = (typeof FLAG_KINDS)[FlagKindName] | VariantOf<(typeof VARIANT_KINDS)[VariantKindName]>;
export type KindStepName = AnyOutput['step'];

/** Containers of the builder Pod that build artifacts. */
export const KIND_STEPS: readonly string[] = [
  ...Object.values(FLAG_KINDS),
  ...Object.values(VARIANT_KINDS).flatMap(({ variants }) => Object.values(variants)),
].map(({ step }) => step);
