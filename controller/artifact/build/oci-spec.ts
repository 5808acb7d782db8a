/** The definition that the image is built by: the user's part, rendered, and ours around it. */
import type { Definition, Source } from './build.js';
import { render } from '../template/render.js';

/** Which image kairos-init comes from and what it is put into; both are build arguments. */
const KAIROS_INIT = [
  'ARG KAIROS_INIT_IMAGE',
  'ARG BASE_IMAGE',
  'FROM ${KAIROS_INIT_IMAGE} AS kairos-init',
  'FROM ${BASE_IMAGE}',
];

const ARGUMENTS = [
  'VERSION',
  'MODEL=generic',
  'TRUSTED_BOOT=false',
  'KUBERNETES_DISTRO',
  'KUBERNETES_VERSION',
  'FIPS',
].map(argument => `ARG ${argument}`);

/** An argument that was not given leaves its flag out. */
const FLAGS =
  '--version "${VERSION}" -m "${MODEL}" -t "${TRUSTED_BOOT}" ${KUBERNETES_DISTRO:+-k "${KUBERNETES_DISTRO}"} ${KUBERNETES_VERSION:+--k8sversion "${KUBERNETES_VERSION}"} ${FIPS:+--fips}';

const CONVERSION = [
  ...ARGUMENTS,
  'COPY --from=kairos-init /kairos-init /kairos-init',
  `RUN /kairos-init -l debug -s install ${FLAGS}`,
  `RUN /kairos-init -l debug -s init ${FLAGS}`,
  'RUN rm /kairos-init',
];

/** What stands in the user's Secrets. */
export interface DefinitionInput {
  text: string;
  /** Entries of the Secret with values. */
  values: Readonly<Record<string, string>>;
}

/** Throws a `TemplateError`. */
const rendered = ({ values }: Definition, input: DefinitionInput): string =>
  render(input.text, { ...input.values, ...values });

/** `input`: for a source with a definition of the user's. */
export function ociSpec(source: Extract<Source, { is: 'definition' }>, input: DefinitionInput | undefined): string {
  const own = source.definition && input ? [rendered(source.definition, input)] : [];
  if (!source.options) return own.join('\n');
  return `${[...KAIROS_INIT, ...own, ...CONVERSION].join('\n')}\n`;
}
