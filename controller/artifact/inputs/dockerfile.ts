/** Renders the Dockerfile that the image is built from: the user's template, between the two halves of the conversion into a Kairos system. */
import type { DockerfileTemplate, Source } from '../build/build.js';
import { render } from '../template/render.js';

/** The image of kairos-init and the image to convert are build arguments. */
const START_OF_CONVERSION = [
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

/** The flag of an argument that is not set is left out. */
const FLAGS =
  '--version "${VERSION}" -m "${MODEL}" -t "${TRUSTED_BOOT}" ${KUBERNETES_DISTRO:+-k "${KUBERNETES_DISTRO}"} ${KUBERNETES_VERSION:+--k8sversion "${KUBERNETES_VERSION}"} ${FIPS:+--fips}';

const END_OF_CONVERSION = [
  ...ARGUMENTS,
  'COPY --from=kairos-init /kairos-init /kairos-init',
  `RUN /kairos-init -l debug -s install ${FLAGS}`,
  `RUN /kairos-init -l debug -s init ${FLAGS}`,
  'RUN rm /kairos-init',
];

/** The content of the user's Secrets. */
export interface TemplateInput {
  text: string;
  /** Entries of the Secret with values; those of the spec take precedence. */
  values: Readonly<Record<string, string>>;
}

const rendered = ({ values }: DockerfileTemplate, input: TemplateInput): string =>
  render(input.text, { ...input.values, ...values });

/** `input`: present where the source has a template. Throws a `TemplateError`. */
export function renderDockerfile(
  source: Extract<Source, { is: 'dockerfile' }>,
  input: TemplateInput | undefined,
): string {
  const own = source.template && input ? [rendered(source.template, input)] : [];
  if (!source.options) return own.join('\n');
  return `${[...START_OF_CONVERSION, ...own, ...END_OF_CONVERSION].join('\n')}\n`;
}
