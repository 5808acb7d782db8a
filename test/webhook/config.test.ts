import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../webhook/config.js';

describe('the webhook settings', () => {
  test('are read from the environment variables of the manifests', () => {
    const env = {
      WEBHOOK_PORT: '10250',
      CONTROLLER_POD_NAMESPACE: 'kairos',
      SERVICE_NAME: 'operator-webhook',
      SECRET_NAME: 's',
      VALIDATING_CONFIGURATION: 'v',
      MUTATING_CONFIGURATION: 'm',
      HEALTH_PORT: '0',
      KUBECONFIG: '/etc/kubeconfig',
    };
    expect(readConfig(env, [])).toMatchObject({
      webhookPort: 10250,
      podNamespace: 'kairos',
      serviceName: 'operator-webhook',
      secretName: 's',
      validatingConfiguration: 'v',
      mutatingConfiguration: 'm',
      healthPort: 0,
      kubeconfig: '/etc/kubeconfig',
    });
  });

  test('have defaults for everything', () =>
    expect(readConfig({}, [])).toMatchObject({ webhookPort: 9443, healthPort: 8081, podNamespace: 'operator-system' }));
});
