/** Prints the CustomResourceDefinitions from the schemas, in the structural form that the API server wants. */
import * as z from 'zod';
import { type Kind, NODE_AGENT, NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from './kinds.js';
import { NodeAgentSpec, NodeAgentStatus } from './node-agent.js';
import { NodeOpSpec, NodeOpStatus } from './nodeop.js';
import { NodeOpUpgradeSpec, NodeOpUpgradeStatus } from './nodeop-upgrade.js';
import { OSArtifactSpec, OSArtifactStatus } from './os-artifact.js';

interface Column {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
  /** Columns above 0 are shown with `-o wide` only. */
  priority?: number;
}

interface KindDefinition {
  kind: Kind;
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: readonly Column[];
}

const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Since when the object exists.',
};
const operationColumns: readonly Column[] = [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Pending, Running, Completed or Failed.' },
  { name: 'Progress', type: 'string', jsonPath: '.status.progress', description: 'Ended nodes of all targets.' },
  { name: 'Failed', type: 'integer', jsonPath: '.status.nodes.failed', description: 'Failed nodes.' },
  { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'What is going on.' },
  age,
];

export const KIND_DEFINITIONS: readonly KindDefinition[] = [
  {
    kind: NODE_OP,
    description:
      'Runs a command once on each of the selected nodes, with cordon, drain and reboot as asked. One object is one run.',
    spec: NodeOpSpec,
    status: NodeOpStatus,
    columns: operationColumns,
  },
  {
    kind: NODE_OP_UPGRADE,
    description: 'Brings the selected Kairos nodes to the system in an image, node by node. One object is one run.',
    spec: NodeOpUpgradeSpec,
    status: NodeOpUpgradeStatus,
    columns: [
      ...operationColumns.slice(0, 3),
      { name: 'Version', type: 'string', jsonPath: '.status.target.version', description: 'Version in the image.' },
      {
        name: 'Message',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Reconciling")].message',
        description: 'What is going on.',
      },
      age,
    ],
  },
  {
    kind: OS_ARTIFACT,
    description:
      'Builds bootable media, disk images and files to boot over the network out of a container image. One object is built anew whenever its spec changes.',
    spec: OSArtifactSpec,
    status: OSArtifactStatus,
    columns: [
      {
        name: 'Phase',
        type: 'string',
        jsonPath: '.status.phase',
        description: 'Pending, Building, Exporting, Ready or Error.',
      },
      {
        name: 'Steps',
        type: 'string',
        jsonPath: '.status.progress',
        description: 'How many steps of the build are done.',
      },
      { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'What is going on.' },
      age,
    ],
  },
  {
    kind: NODE_AGENT,
    description:
      "What the controller asks of a node's agent and what the agent answers. Made and removed by the operator; not for editing.",
    spec: NodeAgentSpec,
    status: NodeAgentStatus,
    columns: [
      {
        name: 'Version',
        type: 'string',
        jsonPath: '.status.release.version',
        description: 'Kairos version of the host.',
      },
      { name: 'Boot', type: 'string', jsonPath: '.status.boot.state', description: 'System the host started from.' },
      {
        name: 'Operation',
        type: 'string',
        jsonPath: '.spec.operation.nodeOp.name',
        description: 'NodeOp that holds the node.',
      },
      { name: 'Step', type: 'string', jsonPath: '.spec.operation.step', description: 'Step the node is at.' },
      {
        name: 'Agent',
        type: 'string',
        jsonPath: '.status.agentVersion',
        description: 'Version of the agent.',
        priority: 1,
      },
      age,
    ],
  },
];

type Json = Record<string, unknown>;

/** What zod prints and a structural schema does not take, node by node. */
function structural({ jsonSchema }: { jsonSchema: object }): void {
  const node = jsonSchema as Json;
  if (node.type === 'integer') {
    node.format ??= node.maximum === 2147483647 ? 'int32' : 'int64';
    /* The API server does not hold a number to its format; the bounds of 64 bits are those of JavaScript and of no field. */
    if (Math.abs(Number(node.maximum)) > 2147483648) delete node.maximum;
    if (Math.abs(Number(node.minimum)) > 2147483648) delete node.minimum;
  }
  const takesAll = node['x-kubernetes-preserve-unknown-fields'] === true;
  if (node.additionalProperties === false || takesAll) delete node.additionalProperties;
  if (node['x-kubernetes-int-or-string'] === true) delete node.anyOf;
  if (node.format === 'date-time') delete node.pattern;
}

export const openApi = (schema: z.ZodType): Json =>
  z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    cycles: 'throw',
    override: structural,
  }) as Json;

const rootSchema = ({ description, spec, status }: KindDefinition): Json => ({
  type: 'object',
  description,
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string', description: 'API group and version.' },
    kind: { type: 'string', description: 'Kind of the object.' },
    metadata: { type: 'object' },
    spec: { ...openApi(spec), description: 'What is wished.' },
    status: { ...openApi(status), description: 'What has become of it. Written by the operator.' },
  },
});

/** The CustomResourceDefinition of one kind as plain JSON. */
export const crdManifest = (printed: KindDefinition): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${printed.kind.plural}.${printed.kind.group}` },
  spec: {
    group: printed.kind.group,
    scope: printed.kind.namespaced ? 'Namespaced' : 'Cluster',
    names: {
      kind: printed.kind.kind,
      listKind: `${printed.kind.kind}List`,
      plural: printed.kind.plural,
      singular: printed.kind.singular,
    },
    versions: [
      {
        name: printed.kind.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: printed.columns,
        schema: { openAPIV3Schema: rootSchema(printed) },
      },
    ],
  },
});
