/** Settings of the webhook. The shipped manifests set the names, since their prefix may be changed. */
import * as z from 'zod';
import { baseAliases, baseSettings, configReader, portSetting, listSetting } from '../program/config.js';

export const readConfig = configReader({
  program: 'webhook',
  purpose: 'completes and judges the objects of the operator before the API server stores them.',
  settings: z.object({
    ...baseSettings,
    webhookPort: portSetting().default(9443).describe('Port of /mutate and /validate, over HTTPS.'),
    podNamespace: z.string().min(1).default('operator-system').describe('Namespace of the Service and the Secret.'),
    serviceName: z
      .string()
      .min(1)
      .default('kairos-operator-webhook')
      .describe('Service by which the API server calls; its name stands in the certificate.'),
    secretName: z
      .string()
      .min(1)
      .default('kairos-operator-webhook-certificate')
      .describe('Secret that holds the certificates of all replicas; made when it is not there.'),
    validatingConfiguration: z
      .string()
      .min(1)
      .default('kairos-operator-webhook')
      .describe('ValidatingWebhookConfiguration that gets the certificate authority.'),
    mutatingConfiguration: z
      .string()
      .min(1)
      .default('kairos-operator-webhook')
      .describe('MutatingWebhookConfiguration that gets the certificate authority.'),
    extraNames: listSetting().default([]).describe('Further DNS names in the certificate, for calls by URL.'),
    kubeconfig: z.string().optional().describe('File with the connection, when run outside of a cluster.'),
  }),
  aliases: { ...baseAliases, podNamespace: { env: ['CONTROLLER_POD_NAMESPACE'] } },
});
export type Config = ReturnType<typeof readConfig>;

/** The names by which the API server may call. */
export const dnsNames = ({ serviceName, podNamespace, extraNames }: Config): string[] => [
  `${serviceName}.${podNamespace}.svc`,
  `${serviceName}.${podNamespace}.svc.cluster.local`,
  ...extraNames,
];
