/** Lists how often each granted permission was used in the last run of all stories. Exits with 1 if one was not used. Only a run with the long tests uses all of them: `npm run test:long`. */
import { grantedPermissions, readAuditLog, unusedPermissions, usedPermissions } from './audit-log.js';

const used = usedPermissions(readAuditLog());
const granted = grantedPermissions();
for (const permission of [...granted].toSorted())
  console.log(`${String(used.get(permission) ?? 0).padStart(7)}  ${permission}`);
const unused = unusedPermissions(granted, used);
if (used.size === 0) console.log('There is no audit log. Run "npm run test:long" first.');
for (const permission of unused) console.log(`granted but not used: ${permission}`);
process.exitCode = used.size === 0 || unused.length > 0 ? 1 : 0;
