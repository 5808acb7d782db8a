import { describe, expect, test } from '@jest/globals';
import { isPermanentPullError } from '../../../controller/cluster/pull-error.js';

const UNPACK = 'rpc error: code = Unknown desc = failed to pull and unpack image "quay.io/acme/os:1":';

describe('A pull that fails is tried until the deadline', () => {
  test.each([
    'Back-off pulling image "quay.io/acme/forbidden-planet:1"',
    'failed to do request: Head "https://reg.example/v2/kairos-denied/manifests/1": net/http: TLS handshake timeout',
    'failed to do request: Head "https://quay.io/v2/": dial tcp: lookup quay.io: no such host',
    'failed to do request: Head "https://quay.io/v2/": dial tcp: lookup quay.io on 10.0.0.10:53: server misbehaving',
    'httpReadSeeker: failed open: unexpected status code 403 Forbidden',
    'failed to pull and unpack image "x": failed to extract layer: write /var/lib: no space left on device',
    '429 Too Many Requests: toomanyrequests: You have reached your unauthenticated pull rate limit',
    'failed to resolve reference: failed to authorize: failed to fetch anonymous token: unexpected status: 503 Service Unavailable',
    'rpc error: code = NotFound desc = failed to pull: content digest sha256:abc: not found',
    `${UNPACK} failed to resolve reference "quay.io/acme/os:1": unexpected status from HEAD request to https://quay.io/v2/acme/os/manifests/1: 502 Bad Gateway`,
    `${UNPACK} failed to resolve reference "quay.io/acme/os:1": failed to do request: x509: certificate signed by unknown authority`,
    `${UNPACK} failed to extract layer: mkdir /var/lib/containerd/x: permission denied`,
    'pinging container registry quay.io: Get "https://quay.io/v2/": dial tcp 1.2.3.4:443: connect: connection refused',
    'initializing source docker://quay.io/denied/not-found:1: pinging container registry quay.io: i/o timeout',
    'reading manifest 1 in quay.io/acme/unauthorized: received unexpected HTTP status: 500 Internal Server Error',
    'reading blob sha256:abc: fetching blob: received unexpected HTTP status: 503 Service Unavailable',
    'reading manifest denied in quay.io/acme/os: received an unknown answer',
    'reading manifest not-found in docker.io/library/os: unexpected end of JSON input',
    'pinging container registry unauthorized.example.com: Get "https://unauthorized.example.com/v2/": http: server gave HTTP response to HTTPS client',
    'pinging container registry denied.example.com: received no answer',
    'pinging container registry forbidden:5000: received no answer',
    'failed to do request: Head "https://quay.io/v2/acme/os/manifests/1": Forbidden',
    'failed to authorize: failed to fetch anonymous token: Get "https://quay.io/token": Forbidden',
    'Error response from daemon: Get "https://registry-1.docker.io/v2/": Proxy Authentication Required',
    'failed to do request: Head "https://quay.io/v2/": dial tcp 1.2.3.4:443: connect: operation not permitted',
  ])('%s', message => expect(isPermanentPullError(message)).toBe(false));
});

describe('A pull that fails is given up after three tries', () => {
  test.each([
    '401 Unauthorized',
    'manifest unknown',
    `${UNPACK} failed to resolve reference "quay.io/acme/os:1": quay.io/acme/os:1: not found`,
    `${UNPACK} failed to resolve reference "quay.io/acme/os:1": unexpected status from HEAD request to https://quay.io/v2/acme/os/manifests/1: 403 Forbidden`,
    `${UNPACK} failed to resolve reference "docker.io/acme/os:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    `${UNPACK} no match for platform in manifest: not found`,
    'Back-off pulling image "quay.io/acme/os:1": ErrImagePull: reading manifest 1 in quay.io/acme/os: manifest unknown',
    'initializing source docker://quay.io/acme/os:1: reading manifest 1 in quay.io/acme/os: unauthorized: access to the requested resource is not authorized',
    'reading manifest 1 in docker.io/acme/os: requested access to the resource is denied',
    'reading manifest 1 in quay.io/acme/os: name unknown: repository not found',
    'failed to authorize: no basic auth credentials',
    'reading manifest timeout in quay.io/acme/os: manifest unknown',
    'denied: Permission denied for "latest" from request "/v2/acme/os/manifests/latest".',
    'Error response from daemon: Head "https://registry-1.docker.io/v2/acme/os/manifests/1": unauthorized: incorrect username or password',
    'Error response from daemon: Head "https://registry-1.docker.io/v2/acme/os/manifests/1": denied: requested access to the resource is denied',
    'denied: denied',
    'unexpected status code [manifests 1]: 403 Forbidden.',
  ])('%s', message => expect(isPermanentPullError(message)).toBe(true));
});
