/** Generates the CustomResourceDefinitions from the schemas, as structural schemas (Kubernetes, "Extend the Kubernetes API with CRDs"). */
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
  /** Columns with a priority above 0 are shown only with `-o wide`. */
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
  description: 'Creation time of the object.',
};
const operationColumns: readonly Column[] = [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Pending, Running, Completed or Failed.' },
  {
    name: 'Progress',
    type: 'string',
    jsonPath: '.status.progress',
    description: 'Finished nodes and all target nodes.',
  },
  { name: 'Failed', type: 'integer', jsonPath: '.status.nodes.failed', description: 'Number of failed nodes.' },
  { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'Current state in a sentence.' },
  age,
];

/** The kinds that CustomResourceDefinitions are generated for, in the order of the manifests. */
export const KIND_DEFINITIONS: readonly KindDefinition[] = [
  {
    kind: NODE_OP,
    description:
      'Runs a command once on each selected node, optionally with cordon, drain and reboot. One object is one run.',
    spec: NodeOpSpec,
    status: NodeOpStatus,
    columns: operationColumns,
  },
  {
    kind: NODE_OP_UPGRADE,
    description: 'Upgrades the selected Kairos nodes, node by node, to the system in an image. One object is one run.',
    spec: NodeOpUpgradeSpec,
    status: NodeOpUpgradeStatus,
    columns: [
      ...operationColumns.slice(0, 3),
      {
        name: 'Version',
        type: 'string',
        jsonPath: '.status.target.version',
        description: 'Version of the system in the image.',
      },
      {
        name: 'Message',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Reconciling")].message',
        description: 'Current state in a sentence.',
      },
      age,
    ],
  },
  {
    kind: OS_ARTIFACT,
    description:
      'Builds bootable media, disk images and network boot files from a container image. A change of the spec starts a new build.',
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
        description: 'Finished steps and all steps of the build.',
      },
      { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'Current state in a sentence.' },
      age,
    ],
  },
  {
    kind: NODE_AGENT,
    description:
      'Requests of the controller to the agent of a node, and the answers of the agent. The operator creates and deletes it; do not edit it.',
    spec: NodeAgentSpec,
    status: NodeAgentStatus,
    columns: [
      {
        name: 'Version',
        type: 'string',
        jsonPath: '.status.release.version',
        description: 'Kairos version of the host.',
      },
      { name: 'Boot', type: 'string', jsonPath: '.status.boot.state', description: 'System that the host booted.' },
      {
        name: 'Operation',
        type: 'string',
        jsonPath: '.spec.operation.nodeOp.name',
        description: 'NodeOp that has claimed the node.',
      },
      { name: 'Step', type: 'string', jsonPath: '.spec.operation.step', description: 'Current step of the operation.' },
      {
        name: 'Agent',
        type: 'string',
        jsonPath: '.status.agentVersion',
        description: 'Version of the agent.',
        priority: 1,
      },
      {
        name: 'Fence',
        type: 'string',
        jsonPath: '.status.fence.state',
        description: 'Fenced, NotFenced (a stolen token of the agent could write to other Nodes) or Unknown.',
        priority: 1,
      },
      age,
    ],
  },
];

type Json = Record<string, unknown>;

/** Removes from each schema node what zod generates and structural schemas do not allow. */
function toStructural({ jsonSchema }: { jsonSchema: object }): void {
  const node = jsonSchema as Json;
  if (node.type === 'integer') {
    node.format ??= node.maximum === 2147483647 ? 'int32' : 'int64';
    /* The API server does not enforce formats, so 32-bit bounds stay. Larger ones are JavaScript's safe integers, not bounds of a field. */
    if (Math.abs(Number(node.maximum)) > 2147483648) delete node.maximum;
    if (Math.abs(Number(node.minimum)) > 2147483648) delete node.minimum;
  }
  const allowsUnknown = node['x-kubernetes-preserve-unknown-fields'] === true;
  if (node.additionalProperties === false || allowsUnknown) delete node.additionalProperties;
  if (node['x-kubernetes-int-or-string'] === true) delete node.anyOf;
  if (node.format === 'date-time') delete node.pattern;
}

/** The OpenAPI v3 schema of a zod schema. Throws when the schema uses what OpenAPI cannot express. */
export const openApi = (schema: z.ZodType): Json =>
  z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    cycles: 'throw',
    override: toStructural,
  }) as Json;

const rootSchema = ({ description, spec, status }: KindDefinition): Json => ({
  type: 'object',
  description,
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string', description: 'API group and version.' },
    kind: { type: 'string', description: 'Kind of the object.' },
    metadata: { type: 'object' },
    spec: { ...openApi(spec), description: 'Desired state.' },
    status: { ...openApi(status), description: 'Observed state. Written by the operator.' },
  },
});

/** The CustomResourceDefinition of one kind, as plain JSON. */
export const crdManifest = (definition: KindDefinition): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${definition.kind.plural}.${definition.kind.group}` },
  spec: {
    group: definition.kind.group,
    scope: definition.kind.namespaced ? 'Namespaced' : 'Cluster',
    names: {
      kind: definition.kind.kind,
      listKind: `${definition.kind.kind}List`,
      plural: definition.kind.plural,
      singular: definition.kind.singular,
    },
    versions: [
      {
        name: definition.kind.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: definition.columns,
        schema: { openAPIV3Schema: rootSchema(definition) },
      },
    ],
  },
});
