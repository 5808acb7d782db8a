/** The bridge that connects the nodes and has the address of the API server, and the host's routes to the pods. */
import { readdirSync } from 'node:fs';
import type { Layout } from './layout.js';
import { mustRun, run } from './run-command.js';

export async function createNetwork(layout: Layout): Promise<void> {
  const { bridge, gateway, index, nodes } = layout;
  // Without a fixed MAC address a bridge uses that of one of its ports and changes it when that node reboots: the other nodes would lose the API server.
  const address = `02:00:00:00:00:0${index}`;
  const lines = [
    `link add ${bridge} address ${address} type bridge`,
    `addr add ${gateway}/24 dev ${bridge}`,
    `link set ${bridge} up`,
    ...nodes.map(node => `route add ${node.podRange} via ${node.ip} dev ${bridge} onlink`),
  ];
  await mustRun('ip', ['-batch', '-'], { stdin: `${lines.join('\n')}\n` });
}

/** Deleting the bridge also deletes its routes. The node's end of a veth pair disappears with the host's end. */
export async function removeNetwork(bridge: string): Promise<void> {
  for (const link of linksNamed(bridge)) await run('ip', ['link', 'del', link]);
}

/** The bridge itself and the veth links attached to it. */
export function linksNamed(bridge: string): string[] {
  const pattern = new RegExp(`^${bridge}(v\\d+)?$`);
  return readdirSync('/sys/class/net').filter(name => pattern.test(name));
}

export async function routesOver(bridge: string): Promise<string[]> {
  const text = await mustRun('ip', ['-oneline', 'route', 'show']);
  return text.split('\n').filter(line => line.includes(` dev ${bridge} `));
}
