/** The Dockerfile that the image is built from: the user's rendered template, between the two halves of the conversion into a Kairos system. */
import type { Source } from '../build/build.js';

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

/** `own`: the rendered template, where the source has one. */
export function dockerfileOf(source: Extract<Source, { is: 'dockerfile' }>, own: string | undefined): string {
  const lines = own === undefined ? [] : [own];
  if (!source.options) return lines.join('\n');
  return `${[...START_OF_CONVERSION, ...lines, ...END_OF_CONVERSION].join('\n')}\n`;
}
