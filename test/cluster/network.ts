/** The bridge between the nodes, with the API server's address on it, and the host's routes to the pods. */
import { readdirSync } from 'node:fs';
import type { Layout } from './layout.js';
import { mustRun, run } from './run-command.js';

export async function makeNetwork(layout: Layout): Promise<void> {
  const { bridge, gateway, index, nodes } = layout;
  // without an address of its own a bridge takes one of its ports', and changes it when that node reboots: the others would lose the API server
  const address = `02:00:00:00:00:0${index}`;
  const lines = [
    `link add ${bridge} address ${address} type bridge`,
    `addr add ${gateway}/24 dev ${bridge}`,
    `link set ${bridge} up`,
    ...nodes.map(node => `route add ${node.podRange} via ${node.ip} dev ${bridge} onlink`),
  ];
  await mustRun('ip', ['-batch', '-'], { stdin: `${lines.join('\n')}\n` });
}

/** The routes go with the bridge, a node's end of a cable with the node. */
export async function removeNetwork(bridge: string): Promise<void> {
  for (const link of linksNamed(bridge)) await run('ip', ['link', 'del', link]);
}

/** Links of that bridge: the bridge itself and the cables plugged into it. */
export function linksNamed(bridge: string): string[] {
  const ours = new RegExp(`^${bridge}(v\\d+)?$`);
  return readdirSync('/sys/class/net').filter(name => ours.test(name));
}

export async function routesOver(bridge: string): Promise<string[]> {
  const text = await mustRun('ip', ['-oneline', 'route', 'show']);
  return text.split('\n').filter(line => line.includes(` dev ${bridge} `));
}
