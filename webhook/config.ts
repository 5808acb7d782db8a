/** Settings of the webhook. The manifests set the object names, because users may change the name prefix. */
import * as z from 'zod';
import { baseAliases, baseSettings, configReader, portSetting, listSetting } from '../program/config.js';

export const readConfig = configReader({
  program: 'webhook',
  purpose: 'defaults and validates the objects of the operator before the API server stores them.',
  settings: z.object({
    ...baseSettings,
    webhookPort: portSetting().default(9443).describe('Port of /mutate and /validate, over HTTPS.'),
    podNamespace: z.string().min(1).default('operator-system').describe('Namespace of the Service and the Secret.'),
    serviceName: z
      .string()
      .min(1)
      .default('kairos-operator-webhook')
      .describe('Service through which the API server calls; its name is in the certificate.'),
    secretName: z
      .string()
      .min(1)
      .default('kairos-operator-webhook-certificate')
      .describe('Secret with the certificates of all replicas. The manifests contain it empty.'),
    validatingConfiguration: z
      .string()
      .min(1)
      .default('kairos-operator-webhook')
      .describe('ValidatingWebhookConfiguration that receives the CA bundle.'),
    mutatingConfiguration: z
      .string()
      .min(1)
      .default('kairos-operator-webhook')
      .describe('MutatingWebhookConfiguration that receives the CA bundle.'),
    extraNames: listSetting().default([]).describe('Additional DNS names in the certificate, for calls by URL.'),
    kubeconfig: z.string().optional().describe('Kubeconfig file, for running outside a cluster.'),
  }),
  aliases: { ...baseAliases, podNamespace: { env: ['CONTROLLER_POD_NAMESPACE'] } },
});
export type Config = ReturnType<typeof readConfig>;

/** The DNS names by which the API server may call the webhook. */
export const dnsNames = ({ serviceName, podNamespace, extraNames }: Config): string[] => [
  `${serviceName}.${podNamespace}.svc`,
  `${serviceName}.${podNamespace}.svc.cluster.local`,
  ...extraNames,
];
