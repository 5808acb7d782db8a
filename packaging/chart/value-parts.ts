/** What values are made of: names, images and settings, refused where the API server or a kubelet would refuse them later. */
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
/** A host, with a path where it has one; no scheme. */
export const registry = () => matching(`(${HOST}(/${PATH})?/?)?`);
export const image = () => matching(IMAGE);
export const imageIfAny = () => matching(`(${IMAGE})?`);

/** One of the operator's own. */
export const product = () =>
  z
    .object({
      repository: matching(REPOSITORY),
      tag: matching(TAG),
      digest: matching(`(${DIGEST})?`).describe('sha256:…; takes the place of the tag.'),
    })
    .strict();

/** Which settings the templates give each program: a second one of that name would be refused, or hold by chance. */
export const OWN_SETTINGS = {
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

/** Settings as in a container, of names that are not set already. */
export const moreSettings = (program: keyof typeof OWN_SETTINGS) => {
  const taken: readonly string[] = OWN_SETTINGS[program];
  const name = matching('[a-zA-Z_.-][a-zA-Z0-9_.-]*')
    .refine(one => !taken.includes(one))
    .meta({ not: { enum: taken } });
  const valueFrom = z.record(z.string(), z.unknown()).optional();
  return z
    .array(z.object({ name, value: z.string().optional(), valueFrom }).strict())
    .describe('More settings, as in a container: [{name: LOG_LEVEL, value: debug}]. None that is set already.');
};
