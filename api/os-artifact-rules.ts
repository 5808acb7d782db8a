/** Rules between the fields of an OSArtifact. All faults at once, each with its path. */
import { FLAT_FIELDS, NESTED_FIELDS, type OSArtifactSpec } from './os-artifact.js';
import { fault, given, type Rule, type SpecFault, tooMuch } from './os-artifact-faults.js';
import { POD_RULES } from './os-artifact-pod-rules.js';

const fieldsOf = (spec: OSArtifactSpec, names: readonly string[]) =>
  Object.entries(spec).flatMap(([name, value]) => (given(value) && names.includes(name) ? [name] : []));

const oneShape: Rule = spec => {
  const flat = fieldsOf(spec, FLAT_FIELDS);
  const [nested] = fieldsOf(spec, NESTED_FIELDS);
  if (nested === undefined) return [];
  return flat.map(name => tooMuch(`may not be given beside ${nested}: these belong to two shapes of the object`, name));
};

const isFlat = (spec: OSArtifactSpec) => fieldsOf(spec, NESTED_FIELDS).length === 0;

const OUTPUT_FLAGS = ['iso', 'cloudImage', 'azureImage', 'gceImage', 'netboot'] as const;
const anyOf = (from: { [Flag in (typeof OUTPUT_FLAGS)[number]]?: boolean }) => OUTPUT_FLAGS.some(flag => from[flag]);

const flatRules: Rule = spec => {
  if (!isFlat(spec)) return [];
  const sources = (['imageName', 'baseImageName', 'baseImageDockerfile'] as const).filter(name => given(spec[name]));
  const [first, ...more] = sources;
  return [
    ...(first === undefined
      ? [fault('exactly one of imageName, baseImageName and baseImageDockerfile must be given', 'imageName')]
      : more.map(name => tooMuch(`may not be given beside ${first}`, name))),
    ...(anyOf(spec)
      ? []
      : [fault('at least one of iso, cloudImage, azureImage, gceImage and netboot must be true', 'iso')]),
  ];
};

const imageRules: Rule = spec => {
  if (isFlat(spec)) return [];
  const { ref, buildOptions, ociSpec, buildImage, push } = spec.image ?? {};
  const built = given(buildOptions) || given(ociSpec);
  const beside = (value: unknown, name: string) =>
    given(ref) && given(value) ? [tooMuch('may not be given beside ref', 'image', name)] : [];
  return [
    ...(given(ref) || built ? [] : [fault('one of ref, buildOptions and ociSpec must be given', 'image')]),
    ...beside(buildOptions, 'buildOptions'),
    ...beside(ociSpec, 'ociSpec'),
    ...beside(buildImage, 'buildImage'),
    ...(push === true && !given(buildImage) ? [fault('must be given where push is true', 'image', 'buildImage')] : []),
    ...(push === true && given(ref) ? [tooMuch('only an image that is built can be pushed', 'image', 'push')] : []),
  ];
};

const artifactRules: Rule = spec => {
  if (isFlat(spec)) return [];
  const { artifacts, image } = spec;
  const { uki = {} } = artifacts ?? {};
  const anyUki = uki.iso === true || uki.container === true || uki.efi === true;
  const none = !anyOf(artifacts ?? {}) && !anyUki;
  return [
    /* An image that is built may be all that is wanted. */
    ...(none && given(image?.ref) ? [fault('at least one kind of artifact must be asked for', 'artifacts')] : []),
    ...(anyUki && !given(uki.keysVolume)
      ? [fault('must be given for any unified kernel image', 'artifacts', 'uki', 'keysVolume')]
      : []),
  ];
};

const RULES: readonly Rule[] = [flatRules, imageRules, artifactRules, ...POD_RULES];

/** What is wrong with a spec whose fields are all of the right shape. In a mix of both shapes nothing else is looked for. */
export function osArtifactFaults(spec: OSArtifactSpec): SpecFault[] {
  const mixed = oneShape(spec);
  return mixed.length > 0 ? mixed : RULES.flatMap(rule => rule(spec));
}
