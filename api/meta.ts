/** Schemas that several kinds share, named as in the Kubernetes API. */
import * as z from 'zod';

/* Syntax: Kubernetes, "Labels and Selectors". No two adjacent parts match the same character, so matching takes linear time. */
const LABEL_KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Invalid values are rejected: with NotIn, a value that no node can have would select every node. */
const labelValue = () => z.string().regex(LABEL_VALUE, 'must be a label value');

const valuesMatchOperator = 'In and NotIn need at least one value, Exists and DoesNotExist take none';

const LabelSelectorRequirement = z
  .object({
    key: z.string().regex(LABEL_KEY, 'must be a label key').describe('Label key that the requirement applies to.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('Relation of the key to the values: In, NotIn, Exists or DoesNotExist.'),
    values: z
      .array(labelValue())
      .optional()
      .describe('Values for In and NotIn; must be empty for Exists and DoesNotExist.'),
  })
  .refine(
    ({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') === values.length > 0,
    valuesMatchOperator,
  )
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        message: valuesMatchOperator,
      },
    ],
  });

/** A label selector with the semantics of `metav1.LabelSelector`. */
export const LabelSelector = z.object({
  matchLabels: z
    .record(z.string(), labelValue())
    .optional()
    .describe('Labels that a node must have, with these values.'),
  matchExpressions: z
    .array(LabelSelectorRequirement)
    .optional()
    .describe('Further requirements; a node must meet all of them and matchLabels.'),
});
export type LabelSelector = z.infer<typeof LabelSelector>;

export const LocalObjectReference = z.object({
  name: z.string().min(1).describe('Name of a Secret in the namespace of this object.'),
});

/** A condition in the format of `metav1.Condition` (Kubernetes API conventions, "Typical status properties"). */
export const Condition = z.object({
  type: z.string().describe('Type of the condition: Complete, Failed, Reconciling or Stalled.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Status of the condition: True, False or Unknown.'),
  reason: z.string().describe('Machine-readable reason in one CamelCase word.'),
  message: z.string().describe('Human-readable message.'),
  lastTransitionTime: z.iso.datetime().describe('When the status of the condition last changed.'),
  observedGeneration: z.int().optional().describe('metadata.generation that the condition is based on.'),
});
export type Condition = z.infer<typeof Condition>;

/** A status that a backup tool restored has the uid of the object that was saved. */
export const statusUid = () =>
  z
    .string()
    .optional()
    .describe(
      'metadata.uid of the object that this status was written for; another one after a restore from a backup.',
    );

/** A time in RFC 3339. */
export const time = (description: string) => z.iso.datetime().describe(description);

/** A state with a deadline, and when the controller first saw it: kubelets and kube-controller-manager have clocks of their own. */
export const FirstSeen = z.object({
  for: z.string().describe('What was seen: a Pod or a container, and how far it is.'),
  since: time('When the controller first saw that.'),
});
export type FirstSeen = z.infer<typeof FirstSeen>;

/** A whole number of seconds. */
export const seconds = (description: string, min = 0) => z.int32().min(min).describe(description);

const PERCENT = /^(100|[1-9]?[0-9])%$/;

/** How many nodes are processed at once: a whole number, or a percentage of the target nodes. */
export const concurrency = () =>
  z
    .union([z.int32().min(0), z.string().regex(PERCENT, 'must be a percentage such as "25%"')], {
      error: 'must be a whole number from 0 up or a percentage such as "25%"',
    })
    .default(0)
    .describe(
      'Number of nodes processed at once, or a percentage of the target nodes (rounded down, at least one). 0 means all at once. ' +
        'Control-plane nodes are processed one at a time whenever the operation cordons, drains or reboots.',
    )
    .meta({
      'x-kubernetes-int-or-string': true,
      'x-kubernetes-validations': [
        {
          rule: "type(self) == int ? int(self) >= 0 && int(self) <= 2147483647 : string(self).matches('^(100|[1-9]?[0-9])%$')",
          message: 'must be a whole number from 0 up or a percentage such as "25%"',
        },
      ],
    });
