/** Rules between the fields of an OSArtifact. All faults are reported at once, each with its path. */
import { FLAG_KINDS, keysOf, requestedOutputs, VARIANT_KINDS, variantVolumes } from './artifact-kinds.js';
import { FLAT_FIELDS, NESTED_FIELDS, type OSArtifactSpec } from './os-artifact.js';
import { fault, isSet, type Rule, type SpecFault, forbidden } from './os-artifact-faults.js';
import { POD_RULES } from './os-artifact-pod-rules.js';

const fieldsOf = (spec: OSArtifactSpec, names: readonly string[]) =>
  Object.entries(spec).flatMap(([name, value]) => (isSet(value) && names.includes(name) ? [name] : []));

const oneShape: Rule = spec => {
  const flat = fieldsOf(spec, FLAT_FIELDS);
  const [nested] = fieldsOf(spec, NESTED_FIELDS);
  if (nested === undefined) return [];
  return flat.map(name =>
    forbidden(`may not be given beside ${nested}: these belong to two shapes of the object`, name),
  );
};

const isFlat = (spec: OSArtifactSpec) => fieldsOf(spec, NESTED_FIELDS).length === 0;

const FLAGS = keysOf(FLAG_KINDS);
const [FIRST_FLAG = ''] = FLAGS;
const ONE_FLAG_NEEDED = `at least one of ${FLAGS.slice(0, -1).join(', ')} and ${FLAGS.at(-1) ?? ''} must be true`;

const flatRules: Rule = spec => {
  if (!isFlat(spec)) return [];
  const sources = (['imageName', 'baseImageName', 'baseImageDockerfile'] as const).filter(name => isSet(spec[name]));
  const [first, ...more] = sources;
  return [
    ...(first === undefined
      ? [fault('exactly one of imageName, baseImageName and baseImageDockerfile must be given', 'imageName')]
      : more.map(name => forbidden(`may not be given beside ${first}`, name))),
    ...(requestedOutputs(spec).length > 0 ? [] : [fault(ONE_FLAG_NEEDED, FIRST_FLAG)]),
  ];
};

const imageRules: Rule = spec => {
  if (isFlat(spec)) return [];
  const { ref, buildOptions, ociSpec, buildImage, push } = spec.image ?? {};
  const isBuilt = isSet(buildOptions) || isSet(ociSpec);
  const forbiddenWithRef = (value: unknown, name: string) =>
    isSet(ref) && isSet(value) ? [forbidden('may not be given beside ref', 'image', name)] : [];
  return [
    ...(isSet(ref) || isBuilt ? [] : [fault('one of ref, buildOptions and ociSpec must be given', 'image')]),
    ...forbiddenWithRef(buildOptions, 'buildOptions'),
    ...forbiddenWithRef(ociSpec, 'ociSpec'),
    ...forbiddenWithRef(buildImage, 'buildImage'),
    ...(push === true && !isSet(buildImage) ? [fault('must be given where push is true', 'image', 'buildImage')] : []),
    ...(push === true && isSet(ref) ? [forbidden('only an image that is built can be pushed', 'image', 'push')] : []),
  ];
};

const artifactRules: Rule = spec => {
  if (isFlat(spec)) return [];
  const { artifacts = {}, image } = spec;
  const requested = requestedOutputs(artifacts);
  return [
    /* An image that is built may be the only result. */
    ...(requested.length === 0 && isSet(image?.ref)
      ? [fault('at least one kind of artifact must be requested', 'artifacts')]
      : []),
    ...variantVolumes(artifacts).flatMap(({ kind, field, name }) =>
      isSet(name) || requested.every(output => output.kind !== kind)
        ? []
        : [fault(`must be given for any ${VARIANT_KINDS[kind].noun}`, 'artifacts', kind, field)],
    ),
  ];
};

const RULES: readonly Rule[] = [flatRules, imageRules, artifactRules, ...POD_RULES];

/** For a spec that its schema accepts. In a mix of both shapes no other rule is meaningful. */
export function osArtifactFaults(spec: OSArtifactSpec): SpecFault[] {
  const mixed = oneShape(spec);
  return mixed.length > 0 ? mixed : RULES.flatMap(rule => rule(spec));
}
