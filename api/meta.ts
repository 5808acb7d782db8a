/** Schemas of the pieces that several kinds share, in the words of the Kubernetes API. */
import * as z from 'zod';

/* No two parts of a pattern may take the same letter in turn: matching must take no longer than reading. */
const LABEL_KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** A value that no node can carry would, with NotIn, pick every node. */
const labelValue = () => z.string().regex(LABEL_VALUE, 'must be a label value');

const valuesFit = 'In and NotIn need at least one value, Exists and DoesNotExist take none';

const LabelSelectorRequirement = z
  .object({
    key: z.string().regex(LABEL_KEY, 'must be a label key').describe('Label key the requirement is about.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('How key and values relate: In, NotIn, Exists or DoesNotExist.'),
    values: z.array(labelValue()).optional().describe('Values for In and NotIn; must be absent for the other two.'),
  })
  .refine(({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') === values.length > 0, valuesFit)
  .meta({
    'x-kubernetes-validations': [
      { rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)", message: valuesFit },
    ],
  });

export const LabelSelector = z.object({
  matchLabels: z
    .record(z.string(), labelValue())
    .optional()
    .describe('Labels that must all be there with these values.'),
  matchExpressions: z
    .array(LabelSelectorRequirement)
    .optional()
    .describe('Requirements that must all be met, besides matchLabels.'),
});
export type LabelSelector = z.infer<typeof LabelSelector>;

export const LocalObjectReference = z.object({
  name: z.string().min(1).describe('Name of a Secret in the namespace of this object.'),
});

export const Condition = z.object({
  type: z.string().describe('Complete, Failed, Reconciling or Stalled.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  reason: z.string().describe('One word for why, for programs.'),
  message: z.string().describe('A sentence for people.'),
  lastTransitionTime: z.iso.datetime().describe('When status last changed.'),
  observedGeneration: z.int().optional().describe('metadata.generation this is about.'),
});
export type Condition = z.infer<typeof Condition>;

export const time = (what: string) => z.iso.datetime().describe(what);

/** A whole number of seconds. */
export const seconds = (what: string, min = 0) => z.int32().min(min).describe(what);

const PERCENT = /^(100|[1-9]?[0-9])%$/;

/** How many nodes at once: a whole number or a percentage of the targets. */
export const concurrency = () =>
  z
    .union([z.int32().min(0), z.string().regex(PERCENT, 'must be a percentage such as "25%"')], {
      error: 'must be a whole number from 0 up or a percentage such as "25%"',
    })
    .default(0)
    .describe(
      'Nodes worked on at once: a number, or a percentage of the targets (rounded down, at least one). 0 means all at once. ' +
        'Control planes go one at a time whenever the operation cordons, drains or reboots.',
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
