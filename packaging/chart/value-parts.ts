/** Schemas for parts of the values: names, images and environment variables. They reject early what the API server or a kubelet would reject later. */
import * as z from 'zod';

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const SUBDOMAIN = '[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?';
const HOST = '[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?';
const PATH = '[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*';
const REPOSITORY = `(${HOST}/)?${PATH}`;
const TAG = '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}';
const DIGEST = 'sha256:[0-9a-f]{64}';
const IMAGE = `${REPOSITORY}(:${TAG})?(@${DIGEST})?`;

const matching = (pattern: string) => z.string().regex(new RegExp(`^${pattern}$`));

export const namespaceName = () => matching(LABEL);
export const secretName = () => matching(SUBDOMAIN);
export const className = () => matching(`(${SUBDOMAIN})?`);
/** A host with an optional path, without a scheme; may be empty. */
export const registry = () => matching(`(${HOST}(/${PATH})?/?)?`);
export const image = () => matching(IMAGE);
export const optionalImage = () => matching(`(${IMAGE})?`);

/** One of the operator's own two images. */
export const ownImage = () =>
  z
    .object({
      repository: matching(REPOSITORY),
      tag: matching(TAG),
      digest: matching(`(${DIGEST})?`).describe('Digest (sha256:…) to use instead of the tag.'),
    })
    .strict();

/** Environment variables that the templates set for each program. Setting one of them twice would be rejected, or one of the two would win arbitrarily. */
export const BUILT_IN_ENV = {
  controller: [
    ...['POD_NAME', 'POD_NAMESPACE', 'NODE_NAME', 'AGENT_IMAGE', 'SENTINEL_IMAGE', 'NODEOP_DEFAULT_IMAGE'],
    ...['ALLOWED_NAMESPACES', 'IMAGE_PULL_SECRETS', 'BUILD_ARTIFACTS', 'TOOL_IMAGE', 'BUILDAH_IMAGE'],
    ...['KAIROS_INIT_IMAGE', 'HEALTH_PORT'],
  ],
  webhook: [
    ...['MALLOC_ARENA_MAX', 'POD_NAME', 'POD_NAMESPACE', 'WEBHOOK_PORT', 'HEALTH_PORT', 'SERVICE_NAME'],
    ...['SECRET_NAME', 'VALIDATING_CONFIGURATION', 'MUTATING_CONFIGURATION'],
  ],
  agent: ['NODE_NAME', 'HOST_ROOT'],
} as const;

/** Additional environment variables of a container. Names that the templates set already are rejected. */
export const extraEnv = (program: keyof typeof BUILT_IN_ENV) => {
  const reserved: readonly string[] = BUILT_IN_ENV[program];
  const name = matching('[a-zA-Z_.-][a-zA-Z0-9_.-]*')
    .refine(one => !reserved.includes(one))
    .meta({ not: { enum: reserved } });
  const valueFrom = z.record(z.string(), z.unknown()).optional();
  return z
    .array(z.object({ name, value: z.string().optional(), valueFrom }).strict())
    .describe(
      'Additional environment variables, for example [{name: LOG_LEVEL, value: debug}]. Variables that the chart sets itself are rejected.',
    );
};
