/** After a run of all stories: which granted right did nothing use? `npm run test:cluster && npx tsx test/cluster/compare-rights.ts`; leaves with 1 when there is one. */
import { grantedRights, readTrail, unusedRights, usedRights } from './audit-trail.js';

const used = usedRights(readTrail());
const granted = grantedRights();
for (const right of [...granted].toSorted()) console.log(`${String(used.get(right) ?? 0).padStart(7)}  ${right}`);
const unused = unusedRights(granted, used);
if (used.size === 0) console.log('there is no trail: run the stories first');
for (const right of unused) console.log(`granted, and nothing used it: ${right}`);
process.exitCode = used.size === 0 || unused.length > 0 ? 1 : 0;
