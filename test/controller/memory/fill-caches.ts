/** Fills all caches of the controller from the API server at `SERVER`, as a leader does, and prints what was stored and how much memory it took. */
import { createInformers, allSynced, cachesOf } from '../../../controller/cluster/informers.js';
import { createKube } from '../../../kube/client.js';
import { realClock } from '../../../program/clock.js';
import { silentLog } from '../../../program/log.js';

const { SERVER = '', CA = '', CHANGES = '0' } = process.env;
const stop = new AbortController();
const kube = createKube({ server: SERVER, credentials: async () => ({ ca: CA }) }, { userAgent: 'test' });
const informers = createInformers(kube, { log: silentLog, clock: realClock });
const caches = cachesOf(informers);

let changes = 0;
for (const cache of [caches.pods, caches.nodeOps]) cache.onChange(({ old }) => (changes += old ? 1 : 0));
const running = Object.values(informers).map(each => each.run(stop.signal));
await allSynced(informers, stop.signal);
while (changes < Number(CHANGES)) await new Promise(resolve => setTimeout(resolve, 20));
process.stdout.write(
  JSON.stringify({
    pods: caches.pods.list().length,
    nodeOps: caches.nodeOps.list().length,
    maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
stop.abort();
await Promise.all(running);
kube.close();
