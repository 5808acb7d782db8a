/** Manages a test cluster from the command line. The cluster keeps running after `up` has ended. */
import { parseArgs } from 'node:util';
import { prepare } from './prepare.js';
import { RealCluster } from './real-cluster.js';
import { nodePlans } from './shared-cluster.js';

const USAGE = `Usage:
  tsx test/cluster/cli.ts up [--nodes N] [--index I] [--fresh]
  tsx test/cluster/cli.ts down [--index I] [--wipe]
  tsx test/cluster/cli.ts exec [--index I] NODE COMMAND...
  tsx test/cluster/cli.ts prepare`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '3' },
    index: { type: 'string', default: '0' },
    fresh: { type: 'boolean', default: false },
    wipe: { type: 'boolean', default: false },
  },
});
const index = Number(values.index);
const [verb, ...rest] = positionals;

switch (verb) {
  case 'up': {
    const cluster = await RealCluster.start({ index, nodes: nodePlans(Number(values.nodes)), fresh: values.fresh });
    console.log(`KUBECONFIG=${cluster.kubeconfig}`);
    break;
  }
  case 'down':
    if (values.wipe) await RealCluster.attach(index)?.stop({ wipe: true });
    await RealCluster.clear(index);
    break;
  case 'exec': {
    const [node = '', ...command] = rest;
    const result = await RealCluster.attach(index)
      ?.machine(node)
      .exec(...command);
    process.stdout.write(result?.stdout ?? '');
    process.stderr.write(result?.stderr ?? `Cluster ${index} is not running. Start it with "up".\n`);
    process.exitCode = result?.code ?? 1;
    break;
  }
  case 'prepare':
    await prepare();
    break;
  default:
    console.error(USAGE);
    process.exitCode = 2;
}
