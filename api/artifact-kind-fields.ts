/** Fields of an OSArtifact that request artifacts, made from the table of kinds. */
import * as z from 'zod';
import {
  DISK_IMAGES,
  keysOf,
  mapValues,
  MEDIA,
  NETWORK_BOOT,
  type Output,
  VARIANT_KINDS,
  type VariantKind,
  type VariantKindName,
} from './artifact-kinds.js';

const flag = ({ description }: { description: string }) => z.boolean().optional().describe(description);
const text = (description: string) => z.string().optional().describe(description);
const flags = <Name extends string>(kinds: Readonly<Record<Name, Output>>) =>
  mapValues<Name, Output, ReturnType<typeof flag>>(kinds, flag);

/** The API server checks the required volumes, too: the webhook may be absent. */
function validationsOf({ variants, requiredVolumes, noun }: VariantKind) {
  const isRequested = keysOf(variants)
    .map(name => `has(self.${name}) && self.${name}`)
    .join(' || ');
  return keysOf(requiredVolumes).map(field => ({
    rule: `!(${isRequested}) || has(self.${field})`,
    message: `${field} is needed for any ${noun}`,
  }));
}

const variantField = <Variant extends string, Volume extends string>(kind: VariantKind<Variant, Volume>) =>
  z
    .object({
      ...flags<Variant>(kind.variants),
      ...mapValues<Volume, string, ReturnType<typeof text>>(kind.requiredVolumes, text),
    })
    .meta({ 'x-kubernetes-validations': validationsOf(kind) })
    .optional()
    .describe(kind.description);

/** Fields of both shapes that request artifacts and configure single kinds. The order is that of the published schema. */
export const flagKindFields = {
  ...flags(MEDIA),
  diskSize: z
    .string()
    .regex(/^(0*[1-9][0-9]{0,8}[KMGT]?)?$/, 'must be a size such as "10G", or a number of MiB')
    .optional()
    .describe('Size of disk images, such as 10G, or a number of MiB.'),
  ...flags(DISK_IMAGES),
  ...flags(NETWORK_BOOT),
  netbootURL: text('URL that the files for booting over the network are served from.'),
};

type VariantFields = {
  [Name in VariantKindName]: ReturnType<
    typeof variantField<
      keyof (typeof VARIANT_KINDS)[Name]['variants'] & string,
      keyof (typeof VARIANT_KINDS)[Name]['requiredVolumes'] & string
    >
  >;
};

/** Fields of the nested shape that request artifacts. */
export const variantKindFields = mapValues<VariantKindName, VariantKind, unknown>(
  VARIANT_KINDS,
  variantField,
) as VariantFields;
