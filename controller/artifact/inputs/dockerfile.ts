/** The Dockerfile that the image is built from: the user's rendered template, between the two halves of the conversion into a Kairos system. */
import type { Source } from '../build/build.js';
import { kairosInitFlags } from './kairos-init-flags.js';

/** Values for the conversion. They are declared before the part of the user, which may use them, and again after it, since it may begin another stage. */
const ARGUMENTS = [
  'MODEL=generic',
  'TRUSTED_BOOT=false',
  'KUBERNETES_DISTRO',
  'KUBERNETES_VERSION',
  'VERSION',
  'FIPS=no-fips',
].map(argument => `ARG ${argument}`);

/** The image of kairos-init and the image to convert are build arguments. The part of the user may copy from the stage by its name. */
const START_OF_CONVERSION = [
  'ARG KAIROS_INIT_IMAGE',
  'ARG BASE_IMAGE',
  'FROM ${KAIROS_INIT_IMAGE} AS kairos-init',
  'FROM ${BASE_IMAGE} AS base-kairos',
];

const endOfConversion = (flags: string): string[] => [
  ...ARGUMENTS,
  'COPY --from=kairos-init /kairos-init /kairos-init',
  `RUN /kairos-init -l debug -s install ${flags}`,
  `RUN /kairos-init -l debug -s init ${flags}`,
  'RUN rm /kairos-init',
];

/** Line by line and without line ends in the pattern: its cost must not grow with the square of the text. */
const beginsStage = (own: string): boolean =>
  own.split(/[\r\n\u2028\u2029]/).some(line => /^\s*FROM(\s|$)/i.test(line));

/** A part that copies from the image to convert, and begins no stage of its own, needs one: a stage cannot copy from itself. */
const startOf = (own: string): string[] =>
  /--from=base-kairos\b/.test(own) && !beginsStage(own)
    ? [...START_OF_CONVERSION, 'FROM base-kairos', ...ARGUMENTS]
    : [...START_OF_CONVERSION, ...ARGUMENTS];

/** `kairosInit`: the image where the spec names none. `own`: the rendered template, where the source has one. */
export function dockerfileOf(
  source: Extract<Source, { is: 'dockerfile' }>,
  kairosInit: string,
  own: string | undefined,
): string {
  if (!source.options) return own ?? '';
  const flags = kairosInitFlags(source.options.kairosInitImage || kairosInit);
  const lines = own === undefined ? [] : [own];
  return `${[...startOf(own ?? ''), ...lines, ...endOfConversion(flags)].join('\n')}\n`;
}
